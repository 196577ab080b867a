import Model
import Text

/// A text with a reply of SMTP in it, taken apart: `host mx.example [192.0.2.1] said: 550-5.1.1 No such user 550 5.1.1 here (in reply to
/// RCPT TO command)`.
struct ReplyText {
    /// The reply code; 0 where there is none.
    var code = 0
    /// The enhanced code; empty where there is none.
    var status = ""
    /// The words behind the codes; the whole text where there are none.
    var text: String
    var stage = DeliveryStage.rcpt

    /// It says itself that it answers RCPT.
    var isToRecipient: Bool { stage == .rcpt && saysStage }
    private var saysStage = false

    /// Characters of a text that are looked at: strangers write it.
    private static let most = 2000

    init(_ given: String) {
        let whole = String(given.prefix(Self.most))
        // "Remote server returned ... -> 550 : User unknown": what the other server said counts (Exchange Online).
        let quoted = whole.firstRange(of: " -> ").map { String(whole[$0.upperBound...]) }
        let words = quoted.flatMap { $0.first?.isNumber == true ? $0 : nil } ?? whole
        text = words
        let pieces = words.split(separator: " ")
        for (index, piece) in pieces.enumerated() {
            guard let (code, rest) = Self.code(piece), code >= 400 else { continue }
            // "Status: 550", "#550", "code 550": the words behind it, unless nothing stands there.
            let behind = pieces[(index + 1)...].joined(separator: " ")
            self.code = code
            var said = rest.isEmpty ? behind : "\(rest) \(behind)"
            (status, said) = Self.status(said)
            // Where nothing is said behind the codes, what stands before them counts.
            if said.contains(where: \.isLetter) { text = Self.joined(said, code) }
            break
        }
        if status.isEmpty { status = pieces.lazy.compactMap { Self.enhanced($0) }.first ?? "" }
        let said = Self.stage(words.lowercased())
        (stage, saysStage) = (said ?? .rcpt, said != nil)
    }

    /// `550`, `550-5.1.1`, `#550`, `(550`, `552-552`.
    private static func code(_ piece: Substring) -> (Int, Substring)? {
        let word = piece.drop { "#('\"[<=".contains($0) }
        let digits = word.prefix { $0.isASCII && $0.isNumber }
        guard digits.count == 3, let code = Int(digits), 200..<600 ~= code else { return nil }
        var rest = word[digits.endIndex...]
        guard rest.isEmpty || "-:, ';)]#".contains(rest[rest.startIndex]) else { return nil }
        if let first = rest.first, "-:,;)]".contains(first) { rest = rest.dropFirst() }
        return (code, rest)
    }

    /// An enhanced code at the front, and what follows it.
    private static func status(_ text: String) -> (String, String) {
        let first = text.prefix { $0 != " " }
        guard let found = enhanced(first) else { return ("", text) }
        let bare = first.drop { !$0.isNumber }.dropFirst(found.count)
        return (found, String((bare.first.map { $0.isLetter } == true ? bare : "") + text[first.endIndex...].drop { $0 == " " }))
    }

    /// `5.1.1` within a word (RFC 3463 section 2).
    private static func enhanced(_ piece: Substring) -> String? {
        let word = piece.drop { "#('\"[<=-".contains($0) }
        let code = word.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let parts = code.split(separator: ".", omittingEmptySubsequences: true)
        guard parts.count == 3, parts[0] == "4" || parts[0] == "5", parts[1].count <= 3, parts[2].count <= 3 else { return nil }
        return parts.joined(separator: ".")
    }

    /// Lines of one reply repeat the codes: `550-5.1.1 The account 550-5.1.1 does not exist`.
    private static func joined(_ text: String, _ code: Int) -> String {
        text.split(separator: " ").filter { piece in
            guard let (other, rest) = Self.code(piece), other == code else { return true }
            return !(rest.isEmpty || enhanced(rest) != nil)
        }.joined(separator: " ")
    }

    /// Which command was answered, as relays say it.
    private static func stage(_ text: String) -> DeliveryStage? {
        let signs: [(String, DeliveryStage)] = [
            ("reply to mail from", .mail), ("after mail from", .mail), ("to mail from", .mail), ("reply to rcpt", .rcpt),
            ("after rcpt", .rcpt), ("reply to end of data", .response), ("end of data", .response),
            ("reply to data", .data), ("[rcpt_to]", .rcpt), ("[mail_from]", .mail), ("[end_of_data]", .response), ("[data]", .data),
            ("initial connection", .greeting), ("initial server greeting", .greeting), ("while receiving the initial", .greeting),
            ("reply to helo", .greeting), ("reply to ehlo", .greeting), ("after helo", .greeting), ("after ehlo", .greeting),
        ]
        return signs.first { text.contains($0.0) }?.1
    }
}
