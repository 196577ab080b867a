package import Model

extension DispatchedBatch {
    /// The fields of its entry in a lane.
    func fields(_ epoch: Epoch) -> [RedisArgument] {
        var fields: [RedisArgument] = [
            "v", RedisArgument(WireVersion.current), "e", .text(epoch.text), "m", .text(id.mailing.description), "b",
            RedisArgument(id.number), "g", RedisArgument(dispatchNumber),
            "n", RedisArgument(count), "o", .bytes(open?.encoded() ?? []), "x", RedisArgument(expires), "t", RedisArgument(dispatched),
            "a", isProven ? "1" : "0", "r", .bytes(recipients),
        ]
        if let channel { fields += ["c", .text(channel.rawValue)] }
        return fields
    }

    init(_ entry: StreamEntry) throws(WireError) {
        try WireVersion.check(entry.text("v"))
        guard let mailing = MailingID(entry.text("m")) else { throw WireError("no mailing id") }
        let open = try (entry.fields["o"] ?? []).nilIfEmpty.map { bytes throws(WireError) in try [OpenRecipient](decoding: bytes) }
        let count = try entry.int("n", in: 1...WireLimit.index.upperBound + 1)
        guard open?.last.map({ $0.index < count }) ?? true else { throw WireError("a recipient beyond the \(count) of its batch") }
        // One without an end has the greatest number there is.
        let expires = min(try entry.int("x", in: 0...Int64.max), WireLimit.time.upperBound)
        self.init(
            id: BatchID(mailing: mailing, number: Int(try entry.int("b", in: WireLimit.count))),
            dispatchNumber: Int(try entry.int("g", in: WireLimit.count)), recipients: entry.fields["r"] ?? [], count: Int(count),
            open: open, expires: expires, dispatched: try entry.int("t", in: WireLimit.time))
        isProven = entry.text("a") == "1"
        let name = entry.text("c")
        channel = Channel(rawValue: name)
        guard name.isEmpty || channel != nil else { throw WireError("the channel '\(name.prefix(20))', which this release does not know") }
    }

    /// Reads the recipients of the batch.
    /// - Throws: `WireError`, also when they are not as many as the batch says, and where the mailing has no content for its channel.
    package func recipients(of mailing: Mailing) throws(WireError) -> Recipients {
        if let channel, channel != mailing.channel {
            throw WireError("its mailing has content for \(mailing.channel.rawValue), and it is sent by \(channel.rawValue)")
        }
        let read = try Recipients(decoding: recipients, width: mailing.fields.count)
        guard read.count == count else { throw WireError("\(read.count) recipients in place of \(count)") }
        return read
    }
}

extension [UInt8] {
    fileprivate var nilIfEmpty: [UInt8]? { isEmpty ? nil : self }
}
