-- Of which certificate it was told already that it comes to its end: one row for each of 30, 7, 1
-- and 0 days, whichever replica said it. A certificate in use has four at most.
CREATE TABLE platform_certificate_notices (
    fingerprint TEXT NOT NULL,
    days        ${int} NOT NULL,
    noted_at    ${int} NOT NULL,
    PRIMARY KEY (fingerprint, days)
) ${strict};
