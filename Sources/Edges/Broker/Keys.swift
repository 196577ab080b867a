import Model

/// Every key that Flotilla keeps in Redis, with its type and its lifetime. All keys of one Flotilla share one hash tag, its prefix in
/// braces, so that they share a slot of a Redis Cluster (Redis Cluster specification, "Hash tags").
package struct Keys: Sendable {
    /// Before each key, so that several Flotillas can share a Redis.
    let tag: String
    /// The prefix without braces, under which release 0.1 kept its keys.
    let prefix: String

    package init(prefix: String) {
        self.prefix = prefix
        tag = prefix.contains("{") ? prefix : "{\(prefix)}"
    }

    /// String, `RUN:LEDGER:RANDOM`: the epoch, set by the dispatcher. Where it is missing or of another run of the server, nothing but the
    /// status streams can be believed.
    var epoch: String { "\(tag):epoch" }

    /// String, `LEDGER NUMBER`: the fencing token of the leading planner; expires when the leader does not renew it.
    var leader: String { "\(tag):leader" }

    /// String: how many status streams there are, set by the first role and checked by all others.
    var partitions: String { "\(tag):partitions" }

    /// Set: the workers that the dispatcher knows of. Only they start messages, so that after a loss of Redis every worker that may have
    /// messages in flight is known. Goes with the epoch.
    var admitted: String { "\(tag):admitted" }

    /// Hash, worker -> `EXPIRY RUN CONDITION LOSSES`: its lease, in milliseconds of Redis time; a field goes a while after the worker.
    var workers: String { "\(tag):workers" }

    /// Set: the lanes that a worker has taken batches from, where a takeover looks; goes with the worker.
    func workerLanes(_ worker: String) -> String { "\(tag):worker-lanes:\(worker)" }

    /// String, `MAILING/BATCH/NUMBER` and so on: the dispatches that a worker had when Redis was lost and can account for; expires after a
    /// day.
    func claims(_ worker: String) -> String { "\(tag):claims:\(worker)" }

    /// Set: the lanes that are not empty, each as `CHANNEL:PROVIDER`.
    var lanes: String { "\(tag):lanes" }

    /// Stream, an entry a batch that is ready or in flight; an entry is deleted when its worker has closed the batch, and the
    /// stream with its last entry. XPENDING tells which worker has a batch, and how often it was handed out.
    func lane(_ lane: Lane) -> String { "\(tag):lane:\(lane)" }

    /// String: the oldest wire version of workers that may look into a lane. Older ones have found nothing there that they can read;
    /// expires after a minute.
    func newer(_ lane: Lane) -> String { "\(tag):newer:\(lane)" }

    /// Stream: what workers wake up for (`WakeEvent`); trimmed to about a thousand entries.
    var wake: String { "\(tag):wake" }

    /// Stream: what the dispatcher wakes up for, lanes that run low and workers that are new; trimmed to about a hundred entries.
    var demand: String { "\(tag):demand" }

    /// String, a byte a recipient of one dispatch of a batch: 0 not started, `b` started, `d` done; goes when the batch is closed.
    func marks(_ batch: BatchID, _ dispatchNumber: Int) -> String { "\(tag):marks:\(batch):\(dispatchNumber)" }

    /// Hash, worker:sequence -> status entry: the groups of results that were reported of a dispatch; goes when the batch is closed.
    func groups(_ batch: BatchID, _ dispatchNumber: Int) -> String { "\(tag):groups:\(batch):\(dispatchNumber)" }

    /// Hash, batch -> dispatch number: the mailing's batches that are ready, in flight, or have results not yet collected. A
    /// field goes when the collector has committed the batch's closing results. `withdrawn NUMBER` keeps a lost dispatch from arriving.
    func dispatched(_ mailing: MailingID) -> String { "\(tag):dispatched:\(mailing)" }

    /// String: the highest batch of the mailing that was ever dispatched; goes when the mailing has ended. By it an older copy of the
    /// ledger learns whom it cannot have sent to.
    func reached(_ mailing: MailingID) -> String { "\(tag):reached:\(mailing)" }

    /// String, `LEDGER NUMBER`: the last commit of the ledger that Redis was told of; stays. A ledger that has come less far is an older
    /// copy.
    var commits: String { "\(tag):commits" }

    /// Hash: the mailing's definition, state and speed, and how many of its recipients have failed before anybody was accepted; goes when
    /// the mailing has ended.
    func mailing(_ id: MailingID) -> String { "\(tag):mailing:\(id)" }

    /// Stream, an entry a group of results or events; an entry is deleted when the collector has committed it.
    func status(_ partition: Int) -> String { "\(tag):status:\(partition)" }

    /// Stream, an entry a suppression, or one that was lifted, with a hash of its address: the last hundred thousand
    /// (`RecentSuppressions`); expires a week after the last one. A message that is in Redis already is not started when its
    /// recipient is among them.
    var suppressed: String { "\(tag):suppressed" }

    /// Hash, ledger -> revision of its list of suppressions: up to that one all that are in force were told of (`RecentSuppressions`);
    /// stays.
    var told: String { "\(tag):told" }

    /// Stream, an entry a batch of tracked events (`EventStreams`); an entry is deleted when the collector has committed it. It is bounded:
    /// trackers keep what it does not take.
    func events(_ number: Int) -> String { "\(tag):events:\(number)" }

    /// Stream, an entry a batch of receipts (`ReceiptStreams`); an entry is deleted when the collector has committed it. It is
    /// bounded as the events streams are.
    var receipts: String { "\(tag):receipts" }

    /// Stream, an entry some questions of a tracker (`QuestionStore`); an entry is deleted when it was answered. It is trimmed to about a
    /// thousand entries: a question is worth two seconds.
    var questions: String { "\(tag):questions" }

    /// List: answers to one tracker's questions, which it takes off; expires seconds after the last one.
    func answers(_ asker: UInt64) -> String { "\(tag):answers:\(String(asker, radix: 16))" }

    /// Streams: those of suppressions, events and receipts while they begin anew (`renumber.lua`).
    var suppressedAnew: String { "\(tag):suppressed:anew" }
    func eventsAnew(_ number: Int) -> String { "\(tag):events:anew:\(number)" }
    var receiptsAnew: String { "\(tag):receipts:anew" }

    /// Stream: copies of the entries of another stream that collectors have confirmed, for as long as a standby of the ledger's server may
    /// lack them (`ReplayStreams`); expires a day after the last of them.
    /// - Parameter stream: the key of the other one.
    func replay(_ stream: String) -> String { "\(tag):replay:\(stream.dropFirst(tag.utf8.count + 1))" }

    /// String, `LEDGER STANDING`: on which server the ledger stood that has the entries of a replay stream; expires with it.
    func replayStanding(_ stream: String) -> String { "\(tag):replay-standing:\(stream.dropFirst(tag.utf8.count + 1))" }

    /// Stream: entries of lanes that could not be read (`DeadLetters`); an entry is deleted when the collector has committed it.
    var deadLetters: String { "\(tag):dead" }

    /// String, the reservation calendar of a scope (`reserve.lua`); expires an hour after the limit has its whole burst again.
    func throttle(_ scope: LimitScope) -> String { "\(tag):throttle:\(scope)" }

    /// String: when the queue of a scope's messages that went back to the ledger ends; expires at that time.
    func queue(_ scope: LimitScope) -> String { "\(tag):queue:\(scope)" }

    /// Hash: the adaptive rate of a scope. `until` and `interval` (microseconds: of Redis time, before which nothing starts; between two
    /// starts), and what the fleet saw since the last judgement; expires ten minutes after it was last used, or after `until`.
    func adaptiveRate(_ scope: LimitScope) -> String { "\(tag):rate:\(scope)" }

    /// Hash, scope -> limit as text: the limits that operators set at run time, all of them. The dispatcher replaces it when one changes
    /// and when an epoch begins.
    var limits: String { "\(tag):limits" }

    /// Hash, process -> `TIME JSON`: the heartbeats of all processes, for people to see; a field goes with its process, or when the leader
    /// finds its last heartbeat ten minutes old.
    var heartbeats: String { "\(tag):heartbeats" }

    /// Hash, mailing -> `Heartbeat.Share`, and an empty name -> the revision of them all: what a process has of its mailings, for people to
    /// see; expires ten minutes after the process's last heartbeat.
    func heartbeatMailings(_ process: String) -> String { "\(tag):heartbeat-mailings:\(process)" }

    /// The keys whose names begin alike.
    struct Kind: Sendable {
        /// The key's name behind the tag, up to the next colon.
        let name: String
        /// As TYPE calls it.
        let type: String
        /// The epoch ends without it: what was sent, or what holds, would be unknown.
        let isTrusted: Bool
    }

    /// The kind of each key above.
    static let kinds: [Kind] =
        ["epoch", "partitions", "marks"].map { Kind(name: $0, type: "string", isTrusted: true) }
        + ["leader", "claims", "reached", "commits", "throttle", "queue", "newer", "replay-standing"].map {
            Kind(name: $0, type: "string", isTrusted: false)
        }
        + ["workers", "groups", "dispatched", "mailing", "limits"].map { Kind(name: $0, type: "hash", isTrusted: true) }
        + ["rate", "heartbeats", "heartbeat-mailings", "told"].map { Kind(name: $0, type: "hash", isTrusted: false) }
        + ["admitted", "worker-lanes", "lanes"].map { Kind(name: $0, type: "set", isTrusted: true) }
        + ["lane", "status"].map { Kind(name: $0, type: "stream", isTrusted: true) }
        + ["wake", "demand", "dead", "suppressed", "events", "receipts", "replay", "questions"].map {
            Kind(name: $0, type: "stream", isTrusted: false)
        }
        + ["answers"].map { Kind(name: $0, type: "list", isTrusted: false) }

    /// The kind of a key; nil for one that is none of ours.
    func kind(of key: String) -> Kind? {
        guard key.hasPrefix("\(tag):") else { return nil }
        let name = key.dropFirst(tag.count + 1).prefix { $0 != ":" }
        return Self.kinds.first { $0.name == name }
    }

    /// The consumer group of the lanes.
    static let workers = "workers"
    /// The consumer group of the streams that collectors read.
    static let collectors = "collectors"
}
