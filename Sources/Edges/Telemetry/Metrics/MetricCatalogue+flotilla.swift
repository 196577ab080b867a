import Model

extension MetricDescription.Label {
    fileprivate static let channel = Self(name: "channel", values: .fixed(Channel.allCases.map(\.rawValue)))
    fileprivate static let provider = Self(
        name: "provider", values: .open("the provider's name in the configuration, or scheme://host:port"))
    fileprivate static let outcome = Self(
        name: "outcome", values: .fixed(RecipientState.afterAttempts.map(\.name)))
    fileprivate static let responseReason = Self(
        name: "reason", values: .fixed(ResponseReason.allCases.filter { $0 != .accepted }.map(\.rawValue)))
    fileprivate static let deprecatedClass = Self(
        name: "class", values: .fixed(["temporary", "throttled", "unreachable", "misconfigured"]))
    fileprivate static let scope = Self(
        name: "scope", values: .fixed(["provider", "channel", "mailing", "domain"]))
    fileprivate static let scopeName = Self(name: "scope", values: .open("provider:NAME, domain:NAME"))
    fileprivate static let limitScope = Self(name: "scope", values: .open("provider:NAME, channel:NAME, domain:NAME"))
    fileprivate static let mailing = Self(name: "mailing", values: .open("ids of mailings that are sent"))
    fileprivate static let liveness = Self(name: "state", values: .fixed(["alive", "lost"]))
    fileprivate static let dropReason = Self(name: "reason", values: .fixed(["unclaimed", "late"]))
    fileprivate static let partition = Self(name: "partition", values: .open("0 up to `collector.partitions` - 1"))
    fileprivate static let plannerOutcome = Self(
        name: "outcome", values: .fixed(["planned"] + ExclusionReason.allCases.map(\.rawValue)))
    fileprivate static let operation = Self(name: "operation", values: .open("the ledger's transactions, by name"))
    fileprivate static let recipientState = Self(
        name: "state", values: .fixed(RecipientState.allCases.filter { $0 != .planned }.map(\.name)))
    fileprivate static let mailingState = Self(
        name: "state", values: .fixed(MailingState.allCases.filter { !$0.isTerminal }.map(\.rawValue)))
    fileprivate static let skipReason = Self(name: "reason", values: .fixed([ExclusionReason.suppressed.rawValue]))
    fileprivate static let entrySource = Self(
        name: "source", values: .fixed(["status", "lane", "events", "receipts", "heartbeat", "mailing", "key"]))
    fileprivate static let trackedAction = Self(name: "action", values: .fixed(TrackedAction.allCases.map { "\($0)" }))
    fileprivate static let brakeKind = Self(name: "kind", values: .fixed(["complaints", "bounces"]))
    fileprivate static let brakeWindow = Self(name: "window", values: .fixed(["hour", "day"]))
    fileprivate static let brakeLevel = Self(name: "level", values: .fixed(["warn", "pause"]))
    fileprivate static let droppedEvent = Self(name: "why", values: .fixed(["gone", "invalid", "excess"]))
    fileprivate static let lostEvent = Self(name: "why", values: .fixed(["full", "slow", "damaged"]))
    fileprivate static let check = Self(name: "check", values: .open("redis, lease, ledger, provider NAME"))
    fileprivate static let metric = Self(name: "metric", values: .open("names of metrics"))
    fileprivate static let refusal = Self(name: "reason", values: .fixed(Refusal.allCases.map(\.rawValue)))
    fileprivate static let status = Self(
        name: "status", values: .fixed(["none", "1xx", "2xx", "3xx", "4xx", "5xx"]))
    fileprivate static let visit = Self(
        name: "kind", values: .fixed(["open", "click", "unsubscribe", "resubscribe", "view", "preferences", "page", "refused", "other"]))
    fileprivate static let questionKind = Self(name: "kind", values: .fixed(Question.Kind.allCases.map { "\($0)" }))
    fileprivate static let answer = Self(name: "answer", values: .fixed(["found", "gone", "unable"]))
    fileprivate static let questionOutcome = Self(name: "outcome", values: .fixed(["cached", "unanswered", "refused"]))
    fileprivate static let tokenFault = Self(
        name: "reason", values: .fixed(["malformed", "unknown_key", "forged", "other_purpose"]))
    fileprivate static let webhook = Self(name: "webhook", values: .open("names of `tracker.webhooks`"))
    fileprivate static let webhookFault = Self(
        name: "reason",
        values: .fixed(["forged", "used", "old", "malformed", "foreign_certificate", "foreign_topic", "unavailable", "no_room"]))
    fileprivate static let receiptKind = Self(name: "kind", values: .fixed(ProviderReceipt.Kind.counted.map(\.name)))
    fileprivate static let eventStream = Self(name: "stream", values: .fixed(["0", "1"]))
    fileprivate static let eventKind = Self(name: "kind", values: .fixed(["events", "choices"]))
    fileprivate static let version = Self(name: "version", values: .open("one value a build"))
    fileprivate static let swift = Self(name: "swift", values: .open("one value a build"))
}

extension MetricCatalogue {
    /// The metrics of all modules. A metric that is missing here is exposed as unlisted.
    package static let flotilla = MetricCatalogue(
        messages + queues + ledgerAndRedis + connections + webhooks + tracking + bounces + process)

    private static let messages: [MetricDescription] = [
        .counter(
            "flotilla_messages_total", "messages", [.channel, .provider, .outcome],
            "Attempts to deliver a message that ended, by the recipient's state after it."),
        .seconds(
            "flotilla_delivery_seconds", [.channel, .provider], buckets: Buckets.hours,
            "Time from handing a group of messages to its transport to the last response."),
        .counter(
            "flotilla_retries_total", "messages", [.channel, .provider, .responseReason, .deprecatedClass],
            "Attempts that will be repeated, by the reason of the response that asks for it; the label class is deprecated."),
        .seconds(
            "flotilla_throttle_wait_seconds", [.scope], buckets: Buckets.seconds,
            "Time that groups of messages waited for a reservation under a limit, by the narrowest scope of their limits."),
        .counter(
            "flotilla_throttle_reservation_requests_total", "requests", [],
            "Times that a worker asked Redis for reservations under limits."),
        .counter(
            "flotilla_throttle_reservations_dropped_total", "reservations", [.dropReason],
            "Reservations that were not used in time: no message was ready, or this process woke up too late."),
        .gauge(
            "flotilla_scope_limit", "messages a second", [.limitScope],
            "The limit of a scope that this worker sends in; it holds for the whole fleet."),
        .counter(
            "flotilla_scope_starts_total", "messages", [.limitScope],
            "Messages that this worker started under the limit of a scope."),
        .gauge(
            "flotilla_scope_slowed", "", [.scopeName],
            "1 while a provider or domain is slowed down or paused because it asked for it, otherwise 0."),
        .gauge(
            "flotilla_scope_adaptive_rate", "messages a second", [.scopeName],
            "The adaptive rate of a scope that is slowed down; its last value once the scope is no longer slowed down."),
        .gauge(
            "flotilla_provider_breaker_open", "", [.provider],
            "1 while the circuit breaker of a provider is open: its messages wait, and one at a time probes it."),
    ]

    private static let queues: [MetricDescription] = [
        .seconds(
            "flotilla_queue_wait_seconds", [.channel], buckets: Buckets.hours,
            "Time from dispatching a batch to Redis to a worker taking it."),
        .gauge(
            "flotilla_batches_ready", "batches", [.channel], "Batches in Redis that no worker has taken yet."),
        .gauge(
            "flotilla_batches_in_flight", "batches", [.channel], "Batches that a worker has taken and not closed."),
        .gauge(
            "flotilla_status_lag_entries", "entries", [.partition],
            "Entries of a status stream that no collector has acknowledged yet."),
        .gauge(
            "flotilla_status_lag_seconds", "seconds", [], "Age of the oldest result that is not in the ledger yet."),
        .gauge(
            "flotilla_events_waiting", "entries", [.eventStream],
            "Entries of an events stream that no collector has acknowledged yet; each has up to a thousand events."),
        .gauge(
            "flotilla_events_lag_seconds", "seconds", [], "Age of the oldest entry of the events streams that is not in the ledger yet."),
        .gauge(
            "flotilla_events_uncounted", "events", [],
            "Events that the ledger keeps and has not counted yet, when this collector last counted some."),
        .gauge(
            "flotilla_receipts_waiting", "entries", [],
            "Entries of the receipts stream that no collector has acknowledged yet; each has up to 500 receipts."),
        .gauge(
            "flotilla_receipts_lag_seconds", "seconds", [],
            "Age of the oldest entry of the receipts stream that is not in the ledger yet."),
        .gauge(
            "flotilla_receipts_aside", "receipts", [],
            "Receipts that are aside, since they name no message of the ledger or are of no known kind: `flotilla receipts list`."),
        .counter(
            "flotilla_batches_taken_over_total", "batches", [],
            "Batches taken over from a worker whose lease had expired."),
        .counter(
            "flotilla_batches_quarantined_total", "batches", [],
            "Batches quarantined because too many workers ended with them; their open recipients are held."),
        .counter(
            "flotilla_lease_lapses_total", "leases", [],
            "Times that a worker found its own lease expired: it was frozen, or Redis was unavailable."),
        .gauge(
            "flotilla_results_unconfirmed", "groups", [],
            "Groups of results that a worker keeps until a collector has confirmed them."),
        .counter(
            "flotilla_entries_unreadable_total", "entries", [.entrySource],
            """
            Entries in Redis that this process could not read: results, batches, heartbeats, definitions of mailings; and keys of a wrong \
            type.
            """),
        .gauge(
            "flotilla_dead_letters", "entries", [],
            "Entries that could not be read and that nobody has put back or dropped: `flotilla dead list`."),
        .counter(
            "flotilla_redis_losses_total", "losses", [],
            "Times that a worker found Redis emptied or started again."),
        .counter(
            "flotilla_redis_rebuilds_total", "rebuilds", [],
            "Times that the planner dispatched again the batches that Redis had lost."),
        .gauge(
            "flotilla_planner_active", "", [], "1 in the planner that is the leader, 0 in a standby."),
        .counter(
            "flotilla_planner_rows_total", "rows", [.plannerOutcome],
            "Rows of recipient files: planned, or the reason of the exclusion."),
        .counter(
            "flotilla_planner_unverified_numbers_total", "recipients", [],
            "Planned recipients whose telephone number is in no range that the numbering plan's data knows."),
        .counter(
            "flotilla_recipients_skipped_total", "recipients", [.skipReason],
            "Planned recipients that were found at the dispatch of their batch to be none any more, by the reason; nothing is sent to them."
        ),
        .gauge(
            "flotilla_mailings", "mailings", [.mailingState], "Mailings in the ledger that have not ended, by state."),
        .gauge(
            "flotilla_mailing_stuck", "", [.mailing],
            "1 while a mailing has work, nothing blocks it, and no recipient got a result for `planner.stuck_after`; otherwise 0."),
        .gauge(
            "flotilla_workers", "workers", [.liveness],
            "Workers whose last heartbeat is at most 5 s old (alive), and those whose last one is older, up to ten minutes (lost)."),
        .gauge(
            "flotilla_recipients_held", "recipients", [],
            "Recipients of open mailings that are held: they may have got their message, and a person must decide."),
    ]

    private static let ledgerAndRedis: [MetricDescription] = [
        .seconds(
            "flotilla_ledger_write_seconds", [.operation], buckets: Buckets.fast,
            "Time of a transaction that writes to the ledger, including its commit."),
        .counter(
            "flotilla_results_written_total", "results", [.recipientState],
            "Results that the collector wrote to the ledger, by state."),
        .counter(
            "flotilla_results_duplicate_total", "results", [],
            "Results that the collector had written before; they change nothing."),
        .counter(
            "flotilla_events_written_total", "events", [.trackedAction],
            "What visitors of messages' links did, as the collector wrote it to the ledger."),
        .counter(
            "flotilla_events_duplicate_total", "events", [],
            "Events that the collector had written before; they change nothing."),
        .counter(
            "flotilla_events_dropped_total", "events", [.droppedEvent],
            """
            Events that are not counted: of a mailing that is gone or pruned, of a recipient that there never was or \
            of a damaged row, beyond 500 of one \
            recipient.
            """),
        .counter(
            "flotilla_events_unsubscribed_total", "suppressions", [],
            "Suppressions that were added because recipients unsubscribed."),
        .counter(
            "flotilla_brake_findings_total", "findings", [.brakeKind, .brakeWindow, .brakeLevel],
            "Limits of the brake that a mailing reached, each once until it is resumed ([brake.md](brake.md))."),
        .counter(
            "flotilla_receipts_written_total", "receipts", [.receiptKind],
            "What providers tell of messages, as the collector wrote it to the ledger."),
        .counter(
            "flotilla_receipts_duplicate_total", "receipts", [],
            "Receipts that were written before, or opens and clicks beyond 100 of a recipient."),
        .counter(
            "flotilla_receipts_machine_total", "receipts", [],
            "Opens and clicks that the provider takes for a machine's; they change nothing."),
        .counter(
            "flotilla_receipts_unknown_total", "receipts", [],
            "Receipts that name no message of the ledger, or are of no known kind; they are kept aside."),
        .counter(
            "flotilla_receipts_found_total", "receipts", [],
            "Receipts that were aside and whose message is known by now."),
        .counter(
            "flotilla_receipts_discarded_total", "receipts", [],
            "Receipts that are no longer kept aside, since there are more than 10,000."),
        .counter(
            "flotilla_uncertain_settled_total", "recipients", [],
            "Held recipients who turned out to have their message, as they visited it."),
        .seconds(
            "flotilla_redis_round_trip_seconds", [], buckets: Buckets.fast,
            "Time from writing a command to Redis to its reply, without blocking reads."),
        .counter(
            "flotilla_redis_reconnects_total", "connections", [],
            "Connections to Redis opened in place of a lost one."),
    ]

    private static let connections: [MetricDescription] = [
        .counter(
            "flotilla_smtp_connections_opened_total", "connections", [.provider], "SMTP connections opened."),
        .counter(
            "flotilla_smtp_connection_errors_total", "connections", [.provider],
            "SMTP connections that could not be opened or were lost."),
        .gauge("flotilla_smtp_connections_open", "connections", [.provider], "SMTP connections open now."),
        .counter(
            "flotilla_http_connections_opened_total", "connections", [.provider], "HTTP connections opened."),
        .gauge("flotilla_http_connections_open", "connections", [.provider], "HTTP connections open now."),
        .gauge("flotilla_http_requests_in_flight", "requests", [.provider], "HTTP requests in flight now."),
        .counter(
            "flotilla_http_unsent_total", "messages", [.provider],
            "Messages handed to HTTP of which no byte was sent."),
        .counter(
            "flotilla_http_responses_total", "responses", [.provider, .status],
            "HTTP responses by the class of their status; `none` where there was no response."),
    ]

    private static let tracking: [MetricDescription] = [
        .counter(
            "flotilla_tracker_requests_total", "requests", [.visit],
            "Requests of visitors that the tracker answered: pixels, redirects, one-click unsubscribes, pages, links that are none, others."
        ),
        .counter(
            "flotilla_tracker_events_total", "events", [.trackedAction], "Events that the tracker made of visits."),
        .counter(
            "flotilla_tracker_questions_total", "questions", [.questionKind, .questionOutcome],
            "Visitors' questions to the ledger that were not answered by a collector: from memory, not in time, or too many at once."),
        .counter(
            "flotilla_tracker_answers_total", "questions", [], "Visitors' questions to the ledger that a collector answered in time."),
        .seconds(
            "flotilla_tracker_question_seconds", [], buckets: Buckets.seconds,
            "Time that a visitor's question to the ledger took, whatever came of it."),
        .gauge(
            "flotilla_tracker_answers_cached_bytes", "bytes", [], "Bytes of answers of the ledger that the tracker remembers."),
        .counter(
            "flotilla_questions_answered_total", "questions", [.questionKind, .answer],
            "Different questions of trackers that a collector answered: with what was asked, that it is gone, or that it cannot tell."),
        .counter(
            "flotilla_questions_expired_total", "entries", [],
            "Entries of questions that a collector read too late, when no visitor waited any more, or could not read."),
        .seconds(
            "flotilla_question_wait_seconds", [], buckets: Buckets.seconds,
            "Time that questions of trackers waited in Redis for a collector."),
        .counter(
            "flotilla_tracker_tokens_refused_total", "requests", [.tokenFault],
            "Links that the tracker refused: cut off, of a key that it lacks, changed, or of another purpose."),
        .counter(
            "flotilla_tracker_events_dropped_total", "events", [.lostEvent],
            """
            Events that were lost: Redis and the spool took none, or fewer than came, or a file of the spool was \
            damaged.
            """),
        .counter(
            "flotilla_tracker_events_late_total", "events", [],
            "Events that waited for room in the tracker's memory, and their visitors for the answer: more came than could be written."),
        .gauge(
            "flotilla_tracker_events_waiting", "events", [.eventStream, .eventKind],
            "Events in the tracker's memory, on their way to Redis."),
        .counter(
            "flotilla_tracker_receipts_total", "receipts", [.webhook], "Receipts that providers told and that Redis or the spool has."),
        .counter(
            "flotilla_tracker_webhooks_refused_total", "requests", [.webhook, .webhookFault],
            "Requests to webhooks that were not taken."),
        .counter(
            "flotilla_tracker_receipts_dropped_total", "receipts", [],
            "Receipts that were lost since a file of the spool was damaged."),
        .gauge(
            "flotilla_tracker_receipts_spool_bytes", "bytes", [], "Bytes of receipts that wait on the tracker's disk for Redis."),
        .gauge(
            "flotilla_tracker_spool_bytes", "bytes", [.eventStream, .eventKind],
            "Bytes of events that wait on the tracker's disk for Redis."),
    ]

    private static let process: [MetricDescription] = [
        .gauge("flotilla_ready", "", [.check], "1 for each check of `/readyz` that is ready, 0 for one that is not."),
        .gauge(
            "flotilla_build_info", "", [.version, .swift], "Always 1; its labels name the build and its compiler."),
        .counter(
            "flotilla_log_dropped_total", "lines", [], "Log lines that stderr did not take within a second."),
        .counter(
            "flotilla_metrics_refused_total", "requests", [.metric, .refusal],
            "Requests for a metric that were refused: beyond the limit of label sets (then counted under the label values "
                + "'other'), or of another type than the metric has."),
        .counter(
            "process_cpu_seconds_total", "seconds", [], "CPU time of the process, user and system."),
        .gauge("process_resident_memory_bytes", "bytes", [], "Resident memory of the process."),
        .gauge("process_open_fds", "descriptors", [], "File descriptors that the process has open."),
        .gauge("process_start_time_seconds", "seconds", [], "When the process started, since 1970-01-01 UTC."),
    ]
}
