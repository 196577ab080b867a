import Model

extension DispatchedBatch {
    /// The fields of its entry in a lane.
    func fields(_ epoch: Epoch) -> [RedisArgument] {
        [
            "v", RedisArgument(WireVersion.current), "e", .text(epoch.text), "m", .text(id.mailing.description), "b",
            RedisArgument(id.number), "g", RedisArgument(dispatchNumber),
            "n", RedisArgument(count), "o", .bytes(open?.encoded() ?? []), "x", RedisArgument(expires), "t", RedisArgument(fed),
            "a", isProven ? "1" : "0", "r", .bytes(recipients),
        ]
    }

    init(_ entry: StreamEntry) throws(WireError) {
        try WireVersion.check(entry.text("v"))
        guard let mailing = MailingID(entry.text("m")) else { throw WireError("no mailing id") }
        let open = entry.fields["o"] ?? []
        self.init(
            id: BatchID(mailing: mailing, number: Int(try entry.int("b"))), dispatchNumber: Int(try entry.int("g")),
            recipients: entry.fields["r"] ?? [], count: Int(try entry.int("n")),
            open: open.isEmpty ? nil : try [OpenRecipient](decoding: open), expires: try entry.int("x"),
            fed: try entry.int("t"))
        isProven = entry.text("a") == "1"
    }
}
