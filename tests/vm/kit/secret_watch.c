// Preloaded into every program of a VM: one that starts with the secret in its arguments or its
// environment is written down. However short it lives, it is seen.

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int has(char** words, const char* secret) {
    for (; *words; words++)
        if (strstr(*words, secret)) return 1;
    return 0;
}

__attribute__((constructor)) static void look(int argc, char** argv, char** envp) {
    char secret[256], line[512];
    int file = open("/usr/lib/synapsex-test/secret", O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    const ssize_t size = read(file, secret, sizeof secret - 1);
    close(file);
    if (size <= 0) return;
    secret[size] = '\0';
    const char* where = has(argv, secret) ? "arguments" : has(envp, secret) ? "environment" : NULL;
    if (!where) return;
    file = open("/run/synapsex-test-seen", O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (file < 0) return;
    const int length = snprintf(line, sizeof line, "in the %s of %s\n", where, argc > 0 ? argv[0] : "?");
    if (write(file, line, (size_t)length) < 0) { /* nobody to tell */ }
    close(file);
}
