package import Logging
package import Model
package import Policy
package import Receipts
package import Signing
package import Telemetry
package import Text

/// All settings with their defaults, as read from `flotilla.yaml` and the environment. `SettingsTable` has the key, the meaning and the
/// allowed values of each property.
package struct Settings: Sendable, Equatable {
    package struct Redis: Sendable, Equatable {
        /// Where Redis is; nil where `flotilla send` and `flotilla up` start a private one.
        package var endpoint: RedisURL.Endpoint?
        package var username: String?
        package var password: Secret?
        package var prefix = "flotilla"
        /// A PEM file of certificate authorities that replace the system's.
        package var caFile: String?
        package var timeout: Duration = .seconds(5)

        package init() {}

        /// Takes address and credentials from a URL.
        package mutating func use(_ url: RedisURL) {
            endpoint = url.endpoint
            username = url.username
            password = url.password
        }
    }

    package struct Ledger: Sendable, Equatable {
        package var place = LedgerPlace.file(path: "flotilla.sqlite") {
            didSet { isNamed = true }
        }
        /// Whether the settings name a place, the default one included.
        private var isNamed = false
        /// Whether `ledger.url` names it. Then no option of a command that writes may name another ledger.
        package private(set) var hasURL = false
        /// Where a machine keeps what belongs to a ledger in PostgreSQL: the file of a private Redis, and its lock. Nil for the user's
        /// usual folder.
        package var folder: String?
        /// The place in the settings, where an option names another one; nil where the settings name none.
        package private(set) var replaced: LedgerPlace?
        /// How long the recipients of mailings that have ended are kept; nil for always.
        package var keep: Duration?
        /// How long Redis keeps what collectors have written into a ledger that has a server.
        package var replay = Duration.seconds(30)
        package init() {}

        /// Two places are equal whoever named them.
        package static func == (left: Self, right: Self) -> Bool {
            (left.place, left.hasURL, left.folder, left.replaced, left.keep, left.replay)
                == (right.place, right.hasURL, right.folder, right.replaced, right.keep, right.replay)
        }

        /// Takes the place of an option.
        package mutating func replace(by place: LedgerPlace) {
            if isNamed, !place.isSame(as: self.place) { replaced = self.place }
            self.place = place
        }

        mutating func use(url place: LedgerPlace) {
            self.place = place
            hasURL = true
        }
    }

    package struct Planner: Sendable, Equatable {
        /// Batches that the dispatcher keeps ready for each channel.
        package var window = 64
        /// Bytes of the batches that the dispatcher keeps ready for each channel, about.
        package var windowBytes = 32 << 20
        /// Bytes of recipients in a batch at most.
        package var batchBytes = 1 << 20
        package var poll: Duration = .seconds(2)
        package var stuckAfter: Duration = .seconds(60)
        package var lease: Duration = .seconds(10)
        package init() {}
    }

    package struct Worker: Sendable, Equatable {
        /// Groups of messages in flight at a time.
        package var concurrency = 32
        /// Messages at most in a group.
        package var group = 50
        /// Bytes of recipients that are taken at most, about.
        package var prefetchBytes = 64 << 20
        package var channels = Channel.allCases
        package var flush: Duration = .milliseconds(50)
        package var lease: Duration = .seconds(10)
        /// Workers that may end with a batch before it is quarantined.
        package var maxDeliveries = 5
        /// The first wait between attempts; nil for the waits of the protocol.
        package var retryBase: Duration?
        package var retryCap: Duration = .seconds(3_600)
        /// What providers' responses mean: the operator's rules, then the built-in ones.
        package var responses = ResponseTable.standard
        package init() {}
    }

    package struct Collector: Sendable, Equatable {
        package var partitions = 4
        /// Entries of a status stream at most in a transaction.
        package var batch = 200
        package init() {}
    }

    package struct Metrics: Sendable, Equatable {
        /// Nil for no address.
        package var listen: ListenAddress? = Port.planner.address {
            didSet { hasOwnPort = false }
        }
        /// No address is set: each role has a port of its own.
        package private(set) var hasOwnPort = true
        package init() {}

        /// Where a role serves its metrics; nil where it does not.
        package func listen(as role: Port) -> ListenAddress? { hasOwnPort ? role.address : listen }
    }

    /// The ports of the roles where none is set, so that one of each fits a machine; those of `flotilla up` and `send` are the planner's.
    /// `deploy/prometheus/targets` has the same.
    package enum Port: Int, Sendable, CaseIterable {
        case planner = 9464
        case collector, worker, tracker
        /// Kept for a role to come.
        case api
        case webhooks, bounces

        package var address: ListenAddress { ListenAddress(host: "127.0.0.1", port: rawValue) }
    }

    /// Webhooks by which other systems are told of events.
    package struct Webhooks: Sendable, Equatable {
        /// How long the outbox keeps what was told, for replays.
        package var keep = Duration.seconds(3 * 86_400)
        /// How long a receiver may take nothing before its subscription is disabled.
        package var patience = Duration.seconds(86_400)
        package init() {}
    }

    package struct Tracker: Sendable, Equatable {
        /// The address by which messages lead to the tracker, without a final slash; nil where nothing is tracked.
        package var url: String?
        /// Those of mailings by the domain of their sender, `example.com` or `*.example.com`.
        package var domains: [String: String] = [:]
        /// The file of the keys that sign the links; nil for one beside the ledger.
        package var keys: String?
        /// Where the tracker serves.
        package var listen = ListenAddress(host: "127.0.0.1", port: 9480)
        /// Proxies whose X-Forwarded-For is believed.
        package var trustedProxies: [IPNetwork] = []
        package var addresses = AddressKeeping.none
        /// The folder in which events wait while Redis is unavailable; nil for the usual one.
        package var spool: String?
        /// Bytes that wait there at most.
        package var spoolLimit = 1 << 30
        /// Webhooks of providers, by the names that stand in their addresses.
        package var webhooks: [String: Webhook] = [:]
        package var pages = Pages()
        package init() {}

        /// How the pages look that visitors see.
        package struct Pages: Sendable, Equatable {
            /// The sender's.
            package var name: String?
            package var colour: String?
            package var background: String?
            package var logo: String?
            /// A file of HTML.
            package var template: String?
        }
    }

    /// Where a provider tells of messages that it took.
    package struct Webhook: Sendable, Equatable {
        package var scheme: ProviderScheme
        /// What requests are verified with; nil for a scheme that finds that elsewhere.
        package var secret: Secret?
        /// The provider's name, as results have it.
        package var provider: String
        /// The topic of Amazon's SNS.
        package var topic: String?
    }

    package struct Logs: Sendable, Equatable {
        package var level: Logger.Level = .info
        package var format: Log.Format = .human
        package var addresses: Addresses = .masked
        package init() {}

        /// How addresses of recipients are logged.
        package enum Addresses: String, Sendable, CaseIterable {
            case masked, shown
        }
    }

    package struct Email: Sendable, Equatable {
        /// Our name in EHLO.
        package var hostname = HostName.machine
        /// The folder of the keys that sign messages; nil where none is signed.
        package var dkim: String?
        /// Where messages come back to; nil where that is the sender of each mailing.
        package var returnPath: ReturnPath?
        /// Header fields that mailings get whose file has none of its own.
        package var headers = SenderHeaders()
        /// The domain whose mail `flotilla bounces` takes from those who unsubscribe by mail; nil where they cannot.
        package var unsubscribeDomain: String?
        package init() {}
    }

    /// How mail is taken that comes back.
    package struct Bounces: Sendable, Equatable {
        /// Nil for no address.
        package var listen: ListenAddress? = ListenAddress(host: "127.0.0.1", port: 9425)
        package var connections = 1000
        package var maildir: String?
        /// The folder for mail of the Maildir that was read; nil for its `cur`.
        package var done: String?
        package init() {}
    }

    package struct Shutdown: Sendable, Equatable {
        /// How long messages in flight may take to end after a signal to stop.
        package var grace: Duration = .seconds(25)
        package init() {}
    }

    package var redis = Redis()
    package var ledger = Ledger()
    package var planner = Planner()
    package var worker = Worker()
    package var collector = Collector()
    /// When refusals are taken for everybody's.
    package var refusals = RefusalThresholds()
    /// When complaints and hard bounces warn of a mailing, and pause it.
    package var brake = BrakeThresholds()
    /// Which refusals take an address off later mailings, and for how long.
    package var suppressions = SuppressionRules()
    package var metrics = Metrics()
    package var log = Logs()
    package var email = Email()
    package var bounces = Bounces()
    package var tracker = Tracker()
    package var webhooks = Webhooks()
    /// Who visitors of messages' links are: the operator's rules, then the built-in ones.
    package var visitors = VisitorRules.builtIn
    package var shutdown = Shutdown()
    /// By name.
    package var providers: [String: Provider] = [:]
    /// Of providers, channels and recipient domains.
    package var limits = Limits()
    /// A sentence for each deprecated key that was read, with its place and its new name, and for each value that works and should not be
    /// used.
    package var warnings: [String] = []
    /// The settings that differ from the defaults, as `planner.window=32`, in the order of their keys; secrets are masked.
    package var differences: [String] = []

    package init() {}
}
