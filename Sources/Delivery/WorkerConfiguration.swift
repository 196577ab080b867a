package import Model
package import Policy

/// How a worker works.
package struct WorkerConfiguration: Sendable {
    /// Names the worker in results, metrics and Redis; unique to the process.
    package var id: String
    package var channels: [Channel]
    /// Groups of messages on their way at once.
    package var concurrency: Int
    /// Messages in a group at most.
    package var group: Int
    /// How long a result may wait for others before it is sent to the collector.
    package var flush: Duration
    /// Waits between attempts, in place of the protocol's own.
    package var retries: RetrySchedule?
    /// The name by which SMTP servers are greeted, and the domain of message ids.
    package var hostname: String
    /// Providers that mailings name.
    package var providers: [String: Provider]

    package init(
        id: String, channels: [Channel] = Channel.allCases, concurrency: Int = 32, group: Int = 50,
        flush: Duration = .milliseconds(50), retries: RetrySchedule? = nil, hostname: String,
        providers: [String: Provider] = [:]
    ) {
        self.id = id
        self.channels = channels
        self.concurrency = concurrency
        self.group = group
        self.flush = flush
        self.retries = retries
        self.hostname = hostname
        self.providers = providers
    }
}
