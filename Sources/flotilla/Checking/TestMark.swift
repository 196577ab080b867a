import Model

/// Makes a mailing's message one that goes to somebody else than its recipient, as a test.
struct TestMark {
    /// Where it goes.
    let address: String
    static let mark = "[Test] "

    /// No column has this name.
    private static let column = "\u{1}to"

    /// - Returns: the mailing, its only recipient, and the place of that.
    func apply(to original: Mailing, _ recipients: Recipients, _ index: Int) -> (Mailing, Recipients, Int) {
        var mailing = original
        // A recipient who objects to tracking has links that lead straight to their targets, and no picture: so has every test.
        mailing.tracking?.unless = Self.column
        // Those of the mailing's own would unsubscribe the person whose values the message has.
        mailing.headers = mailing.headers?.filter { !["list-unsubscribe", "list-unsubscribe-post"].contains($0.name.lowercased()) }
        var row = (0..<recipients.width).map { recipients[index, $0] }
        if mailing.channel == .email {
            mailing.subject.source = Self.mark + mailing.subject.source
            // The texts show the person's own address still.
            let last = mailing.fields.last == ValueKinds.field ? mailing.fields.count - 1 : mailing.fields.count
            mailing.fields.insert(mailing.fields[1], at: last)
            mailing.fields[1] = Self.column + "."
            row.insert(row[1], at: last)
        } else {
            mailing.text.source = Self.mark + mailing.text.source
        }
        row[1] = address
        var one = Recipients(width: row.count)
        // The message keeps its place in the batch, and with it the length of its links.
        for _ in 0...index { one.append(row: row) }
        return (mailing, one, index)
    }
}
