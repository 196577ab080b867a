package import Model
package import Policy
package import Signing

/// How a worker works.
package struct WorkerConfiguration: Sendable {
    /// Names the worker in results, metrics and Redis; unique to the process.
    package var id: String
    package var channels = Channel.allCases
    /// Groups in flight at once, for each provider.
    package var concurrency = 32
    /// Messages in a group at most.
    package var group = 50
    /// How long a group of messages may take: what was started is uncertain when the worker is lost. Each group costs a round trip to
    /// Redis.
    package var groupTime = Duration.milliseconds(200)
    /// Bytes of recipients that are taken at most, about.
    package var prefetchBytes = 64 << 20
    /// Connections to all providers together at most, as far as the process's descriptors go.
    package var connections = Int.max
    /// How long a result may wait for others before it is sent to the collector.
    package var flush = Duration.milliseconds(50)
    /// How long a lease holds without a renewal; then others take over the batches.
    package var lease = Duration.seconds(10)
    /// Workers that may end with a batch before it is quarantined, from 1.
    package var maximumDeliveries = 5
    /// How long a stop may take before messages in flight are not waited for any longer.
    package var grace = Duration.seconds(25)
    /// Waits between attempts, in place of the protocol's own.
    package var retries: RetrySchedule?
    /// What providers' responses mean.
    package var responses = ResponseTable.standard
    /// When refusals are taken for everybody's.
    package var refusals = RefusalThresholds()
    /// The limits of providers, channels and domains; those of mailings come with them.
    package var limits = Limits()
    /// The name by which SMTP servers are greeted.
    package var hostname: String
    /// Providers that mailings name.
    package var providers: [String: Provider] = [:]
    /// What signs e-mail; nil where none is signed.
    package var keys: DKIMKeys?
    /// Where links of messages lead to; nil where there is no tracker.
    package var tracker: Tracker?
    /// Where e-mail comes back to; nil where that is the sender of each mailing.
    package var returns: Returns?
    /// Logs show whole addresses.
    package var showsAddresses = false
    /// Gets the problem of something that the worker needs (`lease`, `provider NAME`), and nil when that works again.
    package var health: @Sendable (_ of: String, _ problem: String?) -> Void = { _, _ in }

    /// The address that e-mail comes back to, and the keys that sign it for each message.
    package struct Returns: Sendable {
        package var path: ReturnPath
        package var keys: SigningKeys

        package init(_ path: ReturnPath, keys: SigningKeys) { (self.path, self.keys) = (path, keys) }
    }

    /// The tracker as messages need it.
    package struct Tracker: Sendable {
        package var addresses: TrackerAddresses
        package var keys: SigningKeys
        /// Whose mail is taken from those who unsubscribe by mail; nil where none is.
        package var mailDomain: String?

        package init(url: String, domains: [String: String] = [:], keys: SigningKeys) {
            addresses = TrackerAddresses(url: url, domains: domains)
            self.keys = keys
        }
    }

    package init(id: String, hostname: String) {
        self.id = id
        self.hostname = hostname
    }
}
