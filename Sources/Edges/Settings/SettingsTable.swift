import Logging
import Model
import Policy
import Telemetry

/// All keys. `docs/configuration.md` lists them, and every other key is refused.
enum SettingsTable {
    static let redisURL = Setting.redisURL(
        "redis.url", shown: "a private Redis",
        "Where Redis is. Without it `flotilla send` and `flotilla up` start a private one.")
    static let redisUsername = Setting.text("redis.username", "User of Redis (ACL); wins over the one in the URL.")
    static let redisPassword = Setting.secret("redis.password", "Password of Redis; wins over the one in the URL.")
    static let redisPrefix = Setting.name(
        "redis.prefix", default: "flotilla",
        "What all keys in Redis start with; fleets that share a Redis differ in it.")
    static let redisCAFile = Setting.file("redis.ca_file", "Certificate authorities for `rediss://`.")
    static let redisTimeout = Setting.duration(
        "redis.timeout", .milliseconds(10)...(.seconds(300)), default: "5s",
        "How long a connection and a reply may take.")

    static let ledgerPath = Setting.ledgerPath(
        "ledger.path", default: "flotilla.sqlite",
        "The ledger's SQLite file; `send`, `up`, `planner` and `mailing add` make it when it is missing.")
    static let ledgerURL = Setting.ledgerURL(
        "ledger.url", "Where the ledger is, in place of `ledger.path`: [operations.md](operations.md#the-ledger-in-postgresql).")
    static let ledgerFolder = Setting.file(
        "ledger.folder", allowed: "a folder",
        "Where this machine keeps the file of a private Redis and its lock for a ledger in PostgreSQL; by default "
            + "`~/.local/state/flotilla` (`$STATE_DIRECTORY`, `$XDG_STATE_HOME/flotilla`). Of a ledger in a file they lie beside it.")
    static let ledgerKeep = Setting.duration(
        "ledger.keep", .seconds(86_400)...(.seconds(36_500 * 86_400)), shown: "always",
        "How long the recipients of a mailing are kept after its end: [operations.md](operations.md#old-mailings).")
    static let ledgerReplay = Setting.duration(
        "ledger.replay", .zero...(.seconds(3600)), default: "30s",
        "How long Redis keeps what collectors have written, where the ledger is in PostgreSQL. A standby that takes over reads it again "
            + "([operations.md](operations.md#a-standby-takes-over)); `0s` for nothing.")

    static let plannerWindow = Setting.integer(
        "planner.window", 1...10_000, default: "64", "Batches of a lane at most that are ready in Redis or with workers.")
    static let plannerWindowBytes = Setting.size(
        "planner.window_bytes", 1 << 20...1 << 30, default: "32MB",
        "The same in bytes, about: large batches fill a lane sooner. All lanes together get four times as many.")
    static let plannerBatchBytes = Setting.size(
        "planner.batch_bytes", 64 << 10...16 << 20, default: "1MB",
        "Bytes of recipients in a batch at most, beside the mailing's `batch_size`. A recipient with more is a batch by itself; "
            + "one with more than 16 MB is excluded (`too_large`)."
    )
    static let plannerPoll = Setting.duration(
        "planner.poll", .milliseconds(10)...(.seconds(60)), default: "2s",
        "How often the planner looks for mailings that are due when nothing wakes it.")
    static let plannerStuckAfter = Setting.duration(
        "planner.stuck_after", .seconds(1)...(.seconds(86_400)), default: "1m",
        "How long a mailing may have no result, though nothing blocks it, before it is reported as stuck.")
    static let plannerLease = Setting.duration(
        "planner.lease", .seconds(1)...Timing.longestLease, default: "10s",
        "How long a planner stays leader without renewing its leadership, before a standby takes over.")

    static let workerConcurrency = Setting.integer(
        "worker.concurrency", 1...10_000, default: "32",
        "Groups of messages in flight at a time in a worker, for each provider; with SMTP no more than its connections.")
    static let workerGroup = Setting.integer(
        "worker.group", 1...1_000, default: "50",
        "Messages in a group at most. A connection gets one group at a time; a group is smaller where it would take longer than 200 ms.")
    static let workerPrefetchBytes = Setting.size(
        "worker.prefetch_bytes", 1 << 20...4 << 30, default: "64MB",
        "Bytes of recipients that a worker has taken at most, about.")
    static let workerChannels = Setting.list(
        "worker.channels", Channel.self, shown: "all", "Channels that a worker serves.")
    static let workerFlush = Setting.duration(
        "worker.flush", .milliseconds(1)...(.seconds(10)), default: "50ms",
        "How long a result may wait in a worker, to be reported together with others.")

    static let workerLease = Setting.duration(
        "worker.lease", .seconds(1)...Timing.longestLease, default: "10s",
        "How long a worker keeps its batches without renewing its lease, before others take them over; the same for the whole fleet.")
    static let workerMaxDeliveries = Setting.integer(
        "worker.max_deliveries", 1...100, default: "5",
        "Workers that may end with a batch before it is quarantined and its recipients are held.")

    static let workerRetryBase = Setting.duration(
        "worker.retry_base", .milliseconds(1)...(.seconds(86_400)), shown: "the protocol's: SMTP 15m (no response: 60s), HTTP 5s",
        "The first wait between attempts; it doubles with each, up to `worker.retry_cap`, with full jitter.")
    static let workerRetryCap = Setting.duration(
        "worker.retry_cap", .milliseconds(1)...(.seconds(604_800)), default: "1h",
        "The longest wait between attempts, where `worker.retry_base` is set.")

    static let workerResponses = Setting.file(
        "worker.responses", allowed: "a YAML file",
        "Rules for providers' responses, asked before the built-in ones: [responses.md](responses.md).")

    static let collectorPartitions = Setting.integer(
        "collector.partitions", 1...256, default: "4",
        "Status streams that results are spread over; the same for the whole fleet.")
    static let collectorBatch = Setting.integer(
        "collector.batch", 1...10_000, default: "200",
        "Entries of a status stream written to the ledger in one transaction.")

    static let refusalsAlike = Setting.integer(
        "refusals.alike", 0...10_000, default: "10",
        "Recipients with the same refusal that pause a mailing of which nobody was accepted yet, and with a refusal of us any mailing; 0: "
            + "never.")
    static let refusalsWindow = Setting.integer(
        "refusals.window", 0...10_000, default: "200",
        "The last responses that are looked at once somebody was accepted; 0: none.")
    static let refusalsShare = Setting.integer(
        "refusals.share", 1...100, default: "95", "The share of them, in percent, that pauses the mailing when it is one refusal.")

    static let metricsListen = Setting.listen(
        "metrics.listen",
        shown: "127.0.0.1 with a port for each role: planner, `up` and `send` 9464, collector 9465, worker 9466, tracker 9467, "
            + "webhooks 9469, bounces 9470",
        "Where `/metrics`, `/healthz` and `/readyz` are served; with `off` no metrics are kept.")

    static let logLevel = Setting.choice(
        "log.level", Logger.Level.self, default: "info", "The lowest level that is logged.")
    static let logFormat = Setting.choice(
        "log.format", Log.Format.self, default: "human", "Lines for people, or JSON lines.")
    static let logAddresses = Setting.choice(
        "log.addresses", Settings.Logs.Addresses.self, default: "masked",
        "How recipients' addresses are logged, where a level logs them: `a***@example.com`, or whole.")

    static let emailHostname = Setting.hostName(
        "email.hostname", shown: "the machine's name if it has a domain, else `localhost.localdomain`",
        "Our name in EHLO.")
    static let emailDKIM = Setting.file(
        "email.dkim", allowed: "a folder",
        "The keys that sign e-mail, as `DOMAIN/SELECTOR.pem`: [email.md](email.md#dkim). None: nothing is signed.")
    static let emailReturnPath = Setting.returnPath(
        "email.return_path", shown: "none: the sender of the mailing",
        "Where e-mail comes back to, each message to an address of its own: [bounces.md](bounces.md). Of a domain it is "
            + "`bounces+TOKEN@DOMAIN`. Signed by `tracker.keys`; the same for workers and `flotilla bounces`.")

    static let emailListID = Setting.domain(
        "email.list_id", shown: "none",
        "The List-Id of e-mail whose mailing names none: [email.md](email.md#headers). A mailing's category stands before it.")
    static let emailSenderID = Setting.senderID(
        "email.sender_id", shown: "none",
        "The sender in the Feedback-ID of e-mail whose mailing names none: [email.md](email.md#headers).")
    static let emailUnsubscribeDomain = Setting.domain(
        "email.unsubscribe_domain", shown: "none",
        "The domain of `unsubscribe+TOKEN@DOMAIN` in List-Unsubscribe, beside the address of the tracker; "
            + "`flotilla bounces` takes its mail: [bounces.md](bounces.md).")

    static let bouncesListen = Setting.listen(
        "bounces.listen", default: "127.0.0.1:9425", "Where `flotilla bounces` takes mail by SMTP and LMTP: [bounces.md](bounces.md).")
    static let bouncesConnections = Setting.integer(
        "bounces.connections", 1...10_000, default: "1000", "Connections to it at once.")
    static let bouncesMaildir = Setting.file(
        "bounces.maildir", allowed: "a folder with `new` and `cur`",
        "A Maildir from which it takes mail, too: [bounces.md](bounces.md#a-maildir).")
    static let bouncesDone = Setting.file(
        "bounces.done", allowed: "a folder on the same file system",
        "Where mail of the Maildir goes that was read; by default its `cur`.")

    static let trackerURL = Setting.trackerURL(
        "tracker.url", shown: "none: nothing is tracked",
        "The public address of the tracker, to which links of messages lead: [tracking.md](tracking.md). Links keep it for good. "
            + "`http://` is for this machine alone; elsewhere each command warns of it.")
    static let trackerDomain = Setting.trackerURL(
        "tracker.domains.*", shown: "`tracker.url`",
        "The same for mailings whose `from` has this domain, `example.com`, or one below it, `\"*.example.com\"`: "
            + "[tracking.md](tracking.md#addresses-by-sender). With the path of `tracker.url`; not as a variable of the environment.")
    static let trackerKeys = Setting.file(
        "tracker.keys", allowed: "a file of mode 0600",
        "The keys that sign those links, the same for workers and trackers: [tracking.md](tracking.md#keys). `send` and `up` make "
            + "`LEDGER.keys` where none is named.")

    static let trackerListen = Setting.address(
        "tracker.listen", default: "127.0.0.1:9480",
        "Where the tracker serves, behind a proxy that ends TLS: [tracking.md](tracking.md#behind-a-proxy).")
    static let trackerTrustedProxies = Setting.networks(
        "tracker.trusted_proxies", shown: "none", "Proxies whose `X-Forwarded-For` is believed.")
    static let trackerAddresses = Setting.choice(
        "tracker.addresses", AddressKeeping.self, default: "none",
        "What is kept of visitors' addresses: nothing but a keyed hash, the network (24 bits of IPv4, 48 of IPv6), or all.")
    static let trackerSpool = Setting.file(
        "tracker.spool", allowed: "a folder",
        "Where the tracker keeps events while Redis is unavailable; by default `tracker-PORT` where `ledger.folder` is, and of `send` and "
            + "`up` `LEDGER.events`.")
    static let trackerSpoolLimit = Setting.size(
        "tracker.spool_limit", 1 << 20...1 << 40, default: "1GB", "Bytes that wait there at most: some 20 million events.")
    static let trackerPageName = Setting.text(
        "tracker.pages.name", shown: "none", "The sender's name on the pages that visitors see: [tracking.md](tracking.md#pages).")
    static let trackerPageColour = Setting.colour("tracker.pages.colour", shown: "green", "The colour of their buttons.")
    static let trackerPageBackground = Setting.colour(
        "tracker.pages.background", shown: "white", "Their background, for visitors who want no dark pages.")
    static let trackerPageLogo = Setting.picture("tracker.pages.logo_url", "A picture above them, in place of the name.")
    static let trackerPageTemplate = Setting.file(
        "tracker.pages.template", allowed: "an HTML file", "A page of one's own around them: [tracking.md](tracking.md#pages).")
    static let trackerVisitors = Setting.file(
        "tracker.visitors", allowed: "a YAML file",
        "Rules about who visitors are, person or machine, asked before the built-in ones: [tracking.md](tracking.md#people-and-machines).")

    static let webhookKind = Setting.text(
        "tracker.webhooks.*.kind", shown: "",
        "Whose webhook it is: `sendgrid`, `mailgun`, `postmark`, `twilio`, `ses`, `generic`, or a YAML file: [receipts.md](receipts.md).")
    static let webhookSecret = Setting.secret(
        "tracker.webhooks.*.secret", "What its requests are verified with: [receipts.md](receipts.md#providers). All but `ses` need it.")
    static let webhookProvider = Setting.text(
        "tracker.webhooks.*.provider", shown: "the webhook's own name",
        "The provider that it is of, as mailings name it: by its ids of messages receipts are found.")
    static let webhookTopic = Setting.text(
        "tracker.webhooks.*.topic", shown: "", "Of `ses`, and required there: the ARN of the SNS topic whose messages are taken.")

    static let shutdownGrace = Setting.duration(
        "shutdown.grace", .zero...(.seconds(3_600)), default: "25s",
        "How long messages in flight may take to end after SIGTERM or Ctrl-C.")

    static let providerURL = Setting.providerURL(
        "providers.*.url", "Where the provider is, and how it is spoken to; required.")
    static let providerUsername = Setting.text(
        "providers.*.username", "User for SMTP AUTH or HTTP Basic; wins over the one in the URL.")
    static let providerPassword = Setting.secret("providers.*.password", "Its password; wins over the one in the URL.")
    static let providerConnections = Setting.integer(
        "providers.*.connections", 1...10_000, default: "20", "Connections at work at most, for each worker process.")
    static let providerConnectTimeout = Setting.duration(
        "providers.*.connect_timeout", .milliseconds(10)...(.seconds(600)), default: "10s",
        "How long TCP may take, and again TLS.")
    static let providerTimeout = Setting.duration(
        "providers.*.timeout", .milliseconds(10)...(.seconds(3_600)),
        shown: "HTTP: 60s; SMTP: greeting, MAIL and RCPT 5m, DATA 2m (RFC 5321)",
        "How long a response may take, but for the one to the final dot of SMTP.")
    static let providerFinalTimeout = Setting.duration(
        "providers.*.final_timeout", .milliseconds(10)...(.seconds(3_600)), default: "10m",
        "`smtp(s)://`: how long the response to the final dot may take (RFC 5321). Below that, slow servers get messages twice.")
    static let providerStartTLS = Setting.choice(
        "providers.*.starttls", Provider.StartTLS.self, default: "opportunistic",
        "`smtp://`: TLS when it can be had, TLS with a valid certificate or nothing, or no TLS; "
            + "see [providers.md](providers.md#encryption)."
    )
    static let providerCAFile = Setting.file("providers.*.ca_file", "Certificate authorities in place of the system's.")
    static let providerHeader = Setting.headerValue(
        "providers.*.headers.*", "`http(s)://`: a further header field, by its name.")
    static let providerBody = Setting.text(
        "providers.*.body", shown: "the mailing's own; for `sms` and `messenger` a built-in one",
        "`http(s)://`: the template of the body.")
    static let providerContentType = Setting.contentType(
        "providers.*.content_type", default: "application/json", "`http(s)://`: the body's type, for which values are escaped.")
    static let providerMessageID = Setting.text(
        "providers.*.message_id",
        "`http(s)://`: the member of a JSON response with the provider's message id, with dots: `messages.0.id`.")

    static let providerLimit = Setting.limit(
        "providers.*.limit", default: RateLimit.none, "Messages that the whole fleet may start with the provider.")

    static let channelLimits: [(channel: Channel, setting: Setting<RateLimit?>)] = Channel.allCases.map { channel in
        (
            channel,
            .limit(
                "channels.\(channel.rawValue).limit", default: channel.ceiling?.description ?? RateLimit.none,
                "Messages of the channel `\(channel.rawValue)` that the whole fleet may start.")
        )
    }

    static let domainLimit = Setting.limit(
        "domains.*.limit", shown: "`none`",
        "Messages that the whole fleet may start for e-mail addresses of the entry's domains.")
    static let domainNames = Setting.domainNames(
        "domains.*.names", shown: "the entry's own name",
        "Domains that share the entry's limit and its adaptive rate; no domain in two entries.")

    static let webhooksKeep = Setting.duration(
        "webhooks.keep", .seconds(60)...(.seconds(30 * 86_400)), default: "3d",
        "How long the outbox of webhooks keeps what was told, for replays: [webhooks.md](webhooks.md#the-outbox).")
    static let webhooksPatience = Setting.duration(
        "webhooks.patience", .seconds(1)...(.seconds(7 * 86_400)), default: "1d",
        "How long a receiver of webhooks may take nothing before its subscription is disabled.")

    static let keys: [SettingKey] =
        [
            redisURL.key, redisUsername.key, redisPassword.key, redisPrefix.key, redisCAFile.key, redisTimeout.key,
            ledgerPath.key, ledgerURL.key, ledgerFolder.key, ledgerKeep.key, ledgerReplay.key,
            plannerWindow.key, plannerWindowBytes.key, plannerBatchBytes.key, plannerPoll.key, plannerStuckAfter.key, plannerLease.key,
            workerConcurrency.key, workerGroup.key, workerPrefetchBytes.key, workerChannels.key, workerFlush.key, workerLease.key,
            workerMaxDeliveries.key, workerRetryBase.key, workerRetryCap.key, workerResponses.key,
            collectorPartitions.key, collectorBatch.key,
            refusalsAlike.key, refusalsWindow.key, refusalsShare.key,
            brakeComplaintsHour.key, brakeComplaintsDay.key, brakeBouncesHour.key, brakeBouncesDay.key, brakeLeastSent.key,
            brakeLeastEvents.key,
            metricsListen.key,
            logLevel.key, logFormat.key, logAddresses.key,
            emailHostname.key, emailDKIM.key, emailReturnPath.key,
            emailListID.key, emailSenderID.key, emailUnsubscribeDomain.key,
            bouncesListen.key, bouncesConnections.key, bouncesMaildir.key, bouncesDone.key,
            trackerURL.key, trackerDomain.key, trackerKeys.key, trackerListen.key, trackerTrustedProxies.key, trackerAddresses.key,
            trackerSpool.key,
            trackerSpoolLimit.key, trackerPageName.key, trackerPageColour.key, trackerPageBackground.key, trackerPageLogo.key,
            trackerPageTemplate.key,
            trackerVisitors.key, webhookKind.key, webhookSecret.key, webhookProvider.key, webhookTopic.key,
            webhooksKeep.key, webhooksPatience.key,
            shutdownGrace.key,
            providerURL.key, providerUsername.key, providerPassword.key, providerConnections.key,
            providerConnectTimeout.key, providerTimeout.key, providerFinalTimeout.key, providerStartTLS.key, providerCAFile.key,
            providerHeader.key,
            providerBody.key, providerContentType.key, providerMessageID.key, providerLimit.key,
        ] + suppressionKeys + channelLimits.map(\.setting.key) + [domainLimit.key, domainNames.key]
}
