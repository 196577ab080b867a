import Model

extension StatusStreams.Entry {
    /// Reads an entry, as much of it as this release can.
    /// - Parameter partition: the number of its stream; nil for the dead letters.
    init(_ entry: StreamEntry, partition: Int?) {
        stream = entry.stream
        id = entry.id
        bytes = entry.fields.reduce(0) { $0 + $1.value.count }
        guard let partition else {
            (payload, letter, isFound) = (nil, DeadLetter(dead: entry), false)
            return
        }
        let problem: String?
        do throws(WireError) {
            (payload, problem) = try Self.read(entry)
        } catch {
            // Of whatever speaks of a batch it counts that it came: the batch does not wait for it.
            payload = Self.envelope(entry).map { .results($0) }
            problem = "\(error)"
        }
        letter = problem.map { DeadLetter(entry, from: .status(partition), reason: $0) }
        isFound = letter != nil
    }

    private static func read(_ entry: StreamEntry) throws(WireError) -> (StatusStreams.Payload, problem: String?) {
        try WireVersion.check(entry.text("v"))
        guard let mailing = MailingID(entry.text("m")) else { throw WireError("no mailing id") }
        let data = entry.fields["d"] ?? []
        switch entry.text("k") {
        case "r":
            guard var group = envelope(entry) else {
                throw WireError("a field of its batch, worker or sequence is no number, or out of range")
            }
            let (results, problem) = [RecipientResult].readable(in: data, base: try entry.int("t", in: WireLimit.time))
            group.results = results
            group.isPartial = problem != nil
            guard ResultGroup.Closing(rawValue: entry.text("f")) != nil else { throw WireError("unknown closing") }
            return (.results(group), problem.map { "\($0)" })
        case "e":
            let (events, problem) = [RecipientEvent].readable(in: data)
            return (.events(EventGroup(mailing: mailing, events: events)), problem.map { "\($0)" })
        case "h":
            guard data.count <= WireLimit.text else { throw WireError("a reason of \(data.count) bytes") }
            // A cause of a later release is not known here, so a person decides.
            let cause = MailingHalt.Cause(rawValue: entry.text("x")) ?? .unsendable
            return (.halt(mailing, MailingHalt(cause, String(decoding: data, as: UTF8.self))), nil)
        case let kind: throw WireError("unknown kind '\(kind.prefix(40))'")
        }
    }

    /// The group of results that an entry is, without its results; nil where that cannot be read.
    private static func envelope(_ entry: StreamEntry) -> ResultGroup? {
        func number(_ field: String) -> Int? { (try? entry.int(field, in: WireLimit.count)).map { Int($0) } }
        guard let mailing = MailingID(entry.text("m")), let batch = number("b"), let dispatch = number("g"), let sequence = number("s"),
            let groups = number("c"), entry.text("w").utf8.count <= WireLimit.text, entry.text("p").utf8.count <= WireLimit.text
        else { return nil }
        var group = ResultGroup(
            Dispatch(batch: BatchID(mailing: mailing, number: batch), dispatchNumber: dispatch), worker: entry.text("w"),
            provider: entry.text("p"), sequence: sequence, closing: ResultGroup.Closing(rawValue: entry.text("f")) ?? .open,
            groups: groups, results: [])
        group.isPartial = true
        return group
    }
}

extension ResultGroup {
    /// The fields of its status entry but for `f` (closing) and `c` (groups), which the script adds.
    var fields: [RedisArgument] {
        let base = results.map(\.at).min() ?? 0
        return [
            "v", RedisArgument(WireVersion.current), "k", "r", "m", .text(batch.mailing.description), "b", RedisArgument(batch.number), "g",
            RedisArgument(dispatchNumber),
            "w", .text(worker), "p", .text(provider), "s", RedisArgument(sequence), "t", RedisArgument(base),
            "d", .bytes(results.encoded(base: base)),
        ]
    }
}
