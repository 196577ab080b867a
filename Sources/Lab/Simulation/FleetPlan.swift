package import Model
package import Policy

/// What is to be forecast, in plain values that depend on nothing else. Times are seconds from the beginning.
package struct FleetPlan: Sendable {
    package var mailings: [MailingPlan]
    /// By the name that mailings call them by.
    package var providers: [String: ProviderPlan]
    /// Of providers, channels and domains.
    package var limits = Limits()
    /// Worker processes from each moment on, in order of time.
    package var workers: [WorkerCount]
    /// When no planner works, no collector works, or Redis is unavailable.
    package var outages: [OutageWindow] = []
    /// `worker.concurrency`: groups in flight at a time in a worker; by SMTP each has a connection.
    package var concurrency = 32
    /// `worker.group`.
    package var group = 50
    /// `worker.retry_base` and `worker.retry_cap`, where they are set.
    package var retries: RetrySchedule?
    /// `planner.window`.
    package var window = 64
    package var costs = Costs()
    /// Cores that all processes share; nil where each has a core of its own.
    package var cores: Double?
    /// Bytes of a recipient's values in a batch.
    package var recipientBytes = 90
    /// Plans of the same seed have the same forecast.
    package var seed: UInt64 = 1

    package init(mailings: [MailingPlan], providers: [String: ProviderPlan], workers: Int = 1) {
        self.mailings = mailings
        self.providers = providers
        self.workers = [WorkerCount(at: 0, count: workers)]
    }

    /// Workers that are there from a moment on.
    package struct WorkerCount: Sendable, Equatable {
        package var at: Double
        package var count: Int

        package init(at: Double, count: Int) {
            self.at = at
            self.count = count
        }
    }

    /// Workers at a moment.
    func workers(at time: Double) -> Int { workers.last { $0.at <= time }?.count ?? 0 }
}

/// A mailing that is to be sent.
package struct MailingPlan: Sendable {
    package var name: String
    package var channel: Channel
    /// A key of `FleetPlan.providers`.
    package var provider: String
    package var recipients: Int
    /// When it is added, in seconds.
    package var at = 0.0
    package var speed: RateLimit?
    package var attempts = 5
    package var uncertain = Mailing.UncertainPolicy.redeliver
    /// In seconds.
    package var lifetime = 86_400.0
    /// Recipients in a batch, where `speed` asks for no smaller ones.
    package var batch = 500
    /// Shares of recipients by the entry of `FleetPlan.limits.domains` that they belong to; all others belong to none.
    package var domains: [String: Double] = [:]

    package init(name: String, channel: Channel = .email, provider: String, recipients: Int, speed: RateLimit? = nil) {
        self.name = name
        self.channel = channel
        self.provider = provider
        self.recipients = recipients
        self.speed = speed
    }

    /// Recipients in a batch: a second of a slow mailing's work, from 20 (`Planning/BatchSize`).
    var batchSize: Int {
        guard let speed else { return batch }
        return min(batch, max(20, Int(speed.perSecond)))
    }
}
