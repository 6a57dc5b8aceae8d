#include "controlplane/cli/vm_watch.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <deque>
#include <iterator>
#include <map>

#include "controlplane/cli/enum_words.hpp"
#include "controlplane/cli/exit_code.hpp"
#include "controlplane/cli/fleet.hpp"
#include "controlplane/cli/live_screen.hpp"
#include "controlplane/cli/units.hpp"
#include "controlplane/cli/vm_view.hpp"

namespace synapsex::cli {

namespace {

namespace json = boost::json;

using vm_registry::TelemetryPoint;

constexpr std::int64_t kWatchSeconds = 60;
constexpr std::chrono::seconds kAskAgainAfter{30};  // well before the last request has run out
constexpr std::size_t kPointsShownMax = 12;

struct Sample {
    std::string vm_name;
    vm_registry::State state{};
    TelemetryPoint point;
    std::string document;  // the list's item, as the API gave it
};

// Asks the agents to send every slot at once, again in time.
class LiveRequest {
 public:
    explicit LiveRequest(Context& context) : context_(context) {}

    Result<Done> keep_up(const VmId& vm) {
        const auto now = context_.surroundings().clock.steady_now();
        auto& asked_at = asked_at_[vm];
        if (asked_at && now - *asked_at < kAskAgainAfter) return Done{};
        vm_registry::WatchVm wish;
        wish.vm_id = vm;
        wish.seconds.value.value = kWatchSeconds;
        SYNAPSEX_CHECK(context_.call(vm_registry::kWatchVm, wish));
        asked_at = now;
        return Done{};
    }

 private:
    Context& context_;
    std::map<VmId, std::optional<SteadyTime>> asked_at_;
};

// The items of the last answer, each as a document of its own.
std::vector<std::string> item_documents(Context& context) {
    std::vector<std::string> documents;
    const auto answer = json::parse(context.last_answer()->body);
    for (const auto& item : answer.at("items").as_array())
        documents.push_back(json::serialize(item));
    return documents;
}

bool is_picture(Context& context) {
    return context.surroundings().is_out_terminal && !context.wants_json();
}

class Source {
 public:
    virtual ~Source() = default;
    // What is new since the last time.
    virtual Result<std::vector<Sample>> poll() = 0;
    virtual std::vector<std::string> picture(std::size_t columns) const = 0;
    // What a person has to know about the last poll, or empty.
    virtual std::string remark() const { return {}; }
};

class OneVm final : public Source {
 public:
    OneVm(Context& context, VmId id) : context_(context), id_(std::move(id)), request_(context) {}

    Result<std::vector<Sample>> poll() override {
        SYNAPSEX_CHECK(request_.keep_up(id_));
        SYNAPSEX_TRY(vm_, context_.call(vm_registry::kGetVm, {id_}));
        vm_registry::ReadTelemetry wish;
        wish.vm_id = id_;
        if (last_at_)
            wish.from = *last_at_ + std::chrono::microseconds{1};
        else if (vm_.latest)  // never from this machine's clock, which may be anything
            wish.from = vm_.latest->at - first_history();
        SYNAPSEX_TRY(const auto page, context_.call(vm_registry::kReadTelemetry, wish));
        const auto documents = item_documents(context_);
        const bool is_history = is_picture(context_) && !last_at_;
        std::vector<Sample> samples;
        for (std::size_t i = 0; i < page.items.size(); ++i) {
            if (is_history) samples.clear();  // drawn, but only the latest counts
            last_at_ = page.items[i].at;
            points_.push_back(page.items[i]);
            if (points_.size() > kPointsShownMax) points_.pop_front();
            samples.push_back({vm_.name, vm_.state, page.items[i], documents.at(i)});
        }
        return samples;
    }

    std::vector<std::string> picture(std::size_t columns) const override {
        auto facts = Table{{{""}, {""}, {""}}};
        facts.add(
            {{vm_.name, Style::bold},
             state_cell(vm_.state),
             "seen " + format_relative(vm_.last_seen_at, context_.now())}
        );
        auto lines = facts.lines(context_.colors(), columns);
        lines.emplace_back();
        auto table = table_of_telemetry();
        for (const auto& point : points_) table.add(row_of(point));
        for (auto& line : table.lines(context_.colors(), columns)) lines.push_back(std::move(line));
        return lines;
    }

 private:
    // A picture starts with a past; a stream of lines with the latest sample.
    std::chrono::seconds first_history() const {
        const auto slots =
            is_picture(context_) ? static_cast<std::int64_t>(kPointsShownMax) - 1 : 0;
        return std::chrono::seconds{slots * vm_registry::kSlotSeconds};
    }

    Context& context_;
    VmId id_;
    LiveRequest request_;
    vm_registry::Vm vm_;
    std::optional<Timestamp> last_at_;
    std::deque<TelemetryPoint> points_;
};

class FirstVms final : public Source {
 public:
    FirstVms(Context& context, std::optional<vm_registry::State> state)
        : context_(context), state_(state), request_(context) {}

    Result<std::vector<Sample>> poll() override {
        vm_registry::ListVms wish;
        wish.limit.value.value = kVmsWatchedMax;
        wish.state = state_;
        SYNAPSEX_TRY(page_, context_.call(vm_registry::kListVms, wish));
        const auto documents = item_documents(context_);
        auto last_at = last_at_;  // kept only if nothing fails: a sample taken is a sample shown
        std::vector<Sample> samples;
        for (std::size_t i = 0; i < page_->items.size(); ++i) {
            const auto& vm = page_->items[i];
            auto& last = last_at[vm.id];
            if (!vm.latest || last == vm.latest->at) continue;
            SYNAPSEX_TRY(auto fresh, samples_since(last, vm, documents.at(i)));
            last = fresh.back().point.at;
            std::ranges::move(fresh, std::back_inserter(samples));
        }
        for (const auto& vm : page_->items) SYNAPSEX_CHECK(request_.keep_up(vm.id));
        last_at_ = std::move(last_at);
        std::ranges::stable_sort(samples, {}, [](const Sample& each) { return each.point.at; });
        return samples;
    }

    std::vector<std::string> picture(std::size_t columns) const override {
        auto table = table_of_vms();
        if (!page_) return {};
        for (const auto& vm : page_->items) table.add(row_of(vm, context_.now()));
        return table.lines(context_.colors(), columns);
    }

    std::string remark() const override {
        if (!page_) return {};
        if (page_->items.empty()) return "There is no such VM yet.";
        if (!page_->next_cursor) return {};
        return "Following the first " + std::to_string(kVmsWatchedMax) +
               " VMs of the list only: name one, or choose with --state.";
    }

 private:
    // The latest, after those that came between it and the last one: an agent that could not
    // reach its server sends many at once. At least one.
    Result<std::vector<Sample>> samples_since(
        std::optional<Timestamp> last, const vm_registry::VmSummary& vm, const std::string& document
    ) {
        std::vector<Sample> samples;
        if (last && vm.latest->at - *last > std::chrono::seconds{vm_registry::kSlotSeconds}) {
            vm_registry::ReadTelemetry wish;
            wish.vm_id = vm.id;
            wish.from = *last + std::chrono::microseconds{1};
            wish.to = vm.latest->at;
            SYNAPSEX_TRY(const auto page, context_.call(vm_registry::kReadTelemetry, wish));
            const auto points = item_documents(context_);
            auto item = json::parse(document);
            for (std::size_t i = 0; i < page.items.size(); ++i) {
                item.as_object()["latest"] = json::parse(points.at(i));
                samples.push_back({vm.name, vm.state, page.items[i], json::serialize(item)});
            }
        }
        if (samples.empty()) samples.push_back({vm.name, vm.state, *vm.latest, document});
        return samples;
    }

    Context& context_;
    std::optional<vm_registry::State> state_;
    LiveRequest request_;
    std::optional<vm_registry::VmPage> page_;
    std::map<VmId, std::optional<Timestamp>> last_at_;
};

// Whether trying again in a moment may help: the server or the way to it has a problem, not we.
bool is_passing(const Problem& problem, const Context& context) {
    const auto code = exit_code_of(problem);
    const auto* answer = context.last_answer();
    return code == ExitCode::unreachable || code == ExitCode::rate_limited ||
           (problem.kind == Kind::internal && answer != nullptr && answer->status >= 500);
}

void print_sample(Context& context, const Sample& sample) {
    if (context.wants_json()) {
        context.print_json(sample.document);
        return;
    }
    const auto& point = sample.point;
    context.say(
        "{}  {}  {}  load {}  cpu {}  memory {}  disk read {} write {}  network in {} out {}",
        {format_instant(point.at),
         sample.vm_name,
         word_of(sample.state),
         format_number(point.load1, 2),
         format_percent(point.cpu_busy_percent),
         format_percent(memory_used_percent(point)),
         format_rate(point.disk_read_bytes_per_second),
         format_rate(point.disk_write_bytes_per_second),
         format_rate(point.network_receive_bytes_per_second),
         format_rate(point.network_transmit_bytes_per_second)}
    );
}

class Watch {
 public:
    Watch(Context& context, const WatchOptions& options, Source& source, Pause& pause)
        : context_(context),
          options_(options),
          source_(source),
          pause_(pause),
          screen_(context.surroundings().out) {}

    Result<Done> run() {
        do {
            const auto samples = source_.poll();
            if (pause_.stop() != Stop::none) break;
            if (!samples && !is_passing(samples.error(), context_)) return samples.error();
            if (samples)
                show(*samples);
            else
                show_outage(samples.error());
            if (is_complete() || !is_read()) return Done{};
        } while (pause_.wait(options_.interval));
        // The terminal shows Ctrl-C as ^C below the picture.
        if (is_picture(context_)) context_.surroundings().out << std::endl;
        if (options_.samples_max > 0) return stopped_early();
        return Done{};
    }

 private:
    bool is_complete() const {
        return options_.samples_max > 0 && shown_ >= options_.samples_max;
    }

    // Without it a watch would live on until the next sample, which may never come.
    bool is_read() {
        auto& surroundings = context_.surroundings();
        if (surroundings.is_reader_gone()) surroundings.out.setstate(std::ios::badbit);
        return surroundings.out.good();
    }

    Problem stopped_early() const {
        const bool was_user = pause_.stop() == Stop::interrupted;
        return {
            .kind = Kind::internal,
            .code = was_user ? kInterrupted : kTerminated,
            .detail = "Stopped after " + std::to_string(shown_) + " of " +
                      std::to_string(options_.samples_max) + " samples."};
    }

    void show(const std::vector<Sample>& samples) {
        is_in_outage_ = false;
        for (const auto& sample : samples) {
            if (is_complete()) break;
            if (!is_picture(context_)) print_sample(context_, sample);
            ++shown_;
        }
        if (is_picture(context_))
            draw("Samples come every 15 s. Ctrl-C ends.");
        else
            show_remark();
        context_.surroundings().out.flush();
    }

    // Once, while it is the same.
    void show_remark() {
        auto remark = source_.remark();
        if (remark == last_remark_) return;
        if (!remark.empty()) context_.note("{}", {remark});
        last_remark_ = std::move(remark);
    }

    void show_outage(const Problem& problem) {
        if (is_picture(context_))
            draw("Trying again: " + problem.detail);
        else if (!is_in_outage_)
            context_.note("Trying again: {}", {problem.detail});
        is_in_outage_ = true;
    }

    void draw(const std::string& last_line) {
        const auto size = context_.surroundings().terminal_size();
        auto lines = source_.picture(size.columns);
        std::vector<std::string> below{source_.remark(), last_line};
        if (below.front().empty()) below.erase(below.begin());
        // A blank line is between, and the cursor needs one too.
        const auto taken = below.size() + 2;
        if (lines.size() + taken > size.rows) {
            const auto shown = size.rows > taken + 1 ? size.rows - taken - 1 : 0;
            const auto hidden = std::to_string(lines.size() - shown);
            below.insert(below.begin(), hidden + " more lines than fit into this terminal.");
            lines.resize(shown);
        }
        lines.emplace_back();
        for (const auto& line : below)
            lines.push_back(styled(
                cut_to_width(escape(line), size.columns), Style::dim, context_.colors()
            ));
        screen_.draw(std::move(lines), size);
    }

    Context& context_;
    const WatchOptions& options_;
    Source& source_;
    Pause& pause_;
    LiveScreen screen_;
    std::int64_t shown_ = 0;
    bool is_in_outage_ = false;
    std::string last_remark_;
};

}  // namespace

Result<Done> watch_vms(Context& context, const WatchOptions& options) {
    std::unique_ptr<Source> source = std::make_unique<FirstVms>(context, options.state);
    if (!options.vm.empty()) {
        SYNAPSEX_TRY(auto id, find_vm(context, options.vm));
        source = std::make_unique<OneVm>(context, std::move(id));
    }
    SYNAPSEX_TRY(Session* const session, context.session());
    const auto pause = context.surroundings().pause_until_stopped(session->client());
    return Watch{context, options, *source, *pause}.run();
}

}  // namespace synapsex::cli
