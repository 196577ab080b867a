import Model

/// Every key that we keep in Redis, with its type and its lifetime.
package struct Keys: Sendable {
    /// Before each key, so that several Flotillas can share a Redis.
    package let prefix: String

    package init(prefix: String) { self.prefix = prefix }

    /// Stream, an entry a batch that is ready or in work; an entry is deleted when its worker has closed the batch.
    func ready(_ channel: Channel) -> String { "\(prefix):ready:\(channel.rawValue)" }

    /// Hash, batch -> generation: the mailing's batches that are ready, in work, or have results not yet collected.
    /// A field goes when the collector has committed the batch's closing results.
    func fed(_ mailing: MailingID) -> String { "\(prefix):fed:\(mailing)" }

    /// Hash: the mailing's definition, state and speed; goes when the mailing has ended.
    func mailing(_ id: MailingID) -> String { "\(prefix):mailing:\(id)" }

    /// Stream, an entry a group of results or events; an entry is deleted when the collector has committed it.
    func status(_ partition: Int) -> String { "\(prefix):status:\(partition)" }

    /// String, the theoretical arrival time of a scope in microseconds; expires a minute after it has passed.
    func throttle(_ scope: String) -> String { "\(prefix):throttle:\(scope)" }

    /// The consumer group of the ready streams.
    static let workers = "workers"
    /// The consumer group of the status streams.
    static let collectors = "collectors"
}
