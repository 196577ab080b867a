import Model

extension FedBatch {
    /// The fields of its entry in a ready stream.
    func words(_ epoch: Epoch) -> [RedisWord] {
        [
            "e", .text(epoch.text), "m", .text(id.mailing.description), "b", RedisWord(id.number), "g", RedisWord(generation),
            "n", RedisWord(count), "o", .bytes(open?.encoded() ?? []), "x", RedisWord(expires), "t", RedisWord(fed),
            "r", .bytes(recipients),
        ]
    }

    init(_ entry: StreamEntry) throws(WireError) {
        guard let mailing = MailingID(entry.text("m")) else { throw WireError("no mailing id") }
        let open = entry.fields["o"] ?? []
        self.init(
            id: BatchID(mailing: mailing, number: Int(try entry.int("b"))), generation: Int(try entry.int("g")),
            recipients: entry.fields["r"] ?? [], count: Int(try entry.int("n")),
            open: open.isEmpty ? nil : try [OpenRecipient](decoding: open), expires: try entry.int("x"),
            fed: try entry.int("t"))
    }
}
