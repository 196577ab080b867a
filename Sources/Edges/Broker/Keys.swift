import Model

/// Every key that we keep in Redis, with its type and its lifetime.
package struct Keys: Sendable {
    /// Before each key, so that several Flotillas can share a Redis.
    package let prefix: String

    package init(prefix: String) { self.prefix = prefix }

    /// String, `RUN:LEDGER:RANDOM`: what in this Redis is to be believed, set by the dispatcher. Where it is missing or of another
    /// run of the server, all but the status streams is void.
    var epoch: String { "\(prefix):epoch" }

    /// String, `LEDGER NUMBER`: the dispatcher that has the leadership; expires when the dispatcher does not renew it.
    var fencingToken: String { "\(prefix):fence" }

    /// Set, the workers that the dispatcher knows of: only they begin anything, so that a loss of Redis finds nobody at work whom
    /// nobody misses. Goes with the epoch.
    var noted: String { "\(prefix):noted" }

    /// Hash, worker -> `EXPIRY RUN STATE LOSSES`: its lease, in milliseconds of Redis time; a field goes a while after the worker.
    var workers: String { "\(prefix):workers" }

    /// Stream, an entry a batch that is ready or in work; an entry is deleted when its worker has closed the batch. Who has
    /// it, and how often it was handed out, is what XPENDING tells.
    func ready(_ channel: Channel) -> String { "\(prefix):ready:\(channel.rawValue)" }

    /// String, a byte a recipient of one dispatch of a batch: 0 untouched, `b` begun, `d` done; goes with the batch's closing.
    func marks(_ batch: BatchID, _ dispatchNumber: Int) -> String { "\(prefix):marks:\(batch):\(dispatchNumber)" }

    /// Hash, worker:sequence -> status entry: the groups of results that were reported of a dispatch; goes with its closing.
    func groups(_ batch: BatchID, _ dispatchNumber: Int) -> String { "\(prefix):groups:\(batch):\(dispatchNumber)" }

    /// Hash, batch -> dispatchNumber: the mailing's batches that are ready, in work, or have results not yet collected.
    /// A field goes when the collector has committed the batch's closing results.
    func fed(_ mailing: MailingID) -> String { "\(prefix):fed:\(mailing)" }

    /// Hash: the mailing's definition, state and speed; goes when the mailing has ended.
    func mailing(_ id: MailingID) -> String { "\(prefix):mailing:\(id)" }

    /// Stream, an entry a group of results or events; an entry is deleted when the collector has committed it.
    func status(_ partition: Int) -> String { "\(prefix):status:\(partition)" }

    /// String, the calendar of a scope: which moments are handed out (`reserve.lua`); expires an hour after the limit has its whole burst
    /// again.
    func throttle(_ scope: String) -> String { "\(prefix):throttle:\(scope)" }

    /// String, until when the messages of a scope are queued that went back to the ledger; goes when that has come.
    func turn(_ scope: String) -> String { "\(prefix):turn:\(scope)" }

    /// Hash: `until` and `interval` of a scope that was asked to slow down (microseconds: of Redis time, before which nothing
    /// starts; between two starts), and what the fleet saw since the last judgement; expires ten minutes after it was last
    /// spoken of, or after `until`.
    func pace(_ scope: String) -> String { "\(prefix):pace:\(scope)" }

    /// Hash, scope -> limit as text: the limits that operators set at run time, all of them; replaced by the dispatcher when one
    /// changes and when an epoch begins, otherwise it stays.
    var limits: String { "\(prefix):limits" }

    /// Hash, process -> `TIME JSON`: the signs of life of all processes (`Heartbeat`), for people to see; a field goes with its process,
    /// or when the planner finds its last sign ten minutes old.
    var heartbeats: String { "\(prefix):pulses" }

    /// The consumer group of the ready streams.
    static let workers = "workers"
    /// The consumer group of the status streams.
    static let collectors = "collectors"
}
