import Model
import Policy

/// Judges a mailing's document, gathering every problem on the way.
struct MailingCheck {
    let document: MailingDocument
    let overrides: MailingFile.Overrides
    private var problems: [MailingFileError.Problem] = []
    /// The parts that the document is wrong in are not judged by what would follow from them.
    private var channel: Channel?

    init(document: MailingDocument, overrides: MailingFile.Overrides) {
        self.document = document
        self.overrides = overrides
    }

    typealias Entry = MailingDocument.Entry

    static let common = [
        "name", "channel", "recipients", "provider", "speed", "batch_size", "attempts", "lifetime", "uncertain",
    ]
    static let content = ["from", "reply_to", "subject", "html", "text", "body"]

    /// The keys of the content that a channel takes.
    static func content(of channel: Channel) -> [String] {
        switch channel {
        case .email: ["from", "reply_to", "subject", "html", "text"]
        case .sms: ["from", "text"]
        case .webhook: ["body"]
        }
    }

    mutating func run() throws(MailingFileError) -> MailingFile {
        checkKeys()
        let name = required("name", "what the mailing is called") ?? ""
        if name.utf8.count > 200 { report(entry("name"), "is longer than 200 bytes") }
        channel = required("channel", "one of \(Self.list(Channel.allCases))").flatMap { choice("channel", $0) }
        let fallback = channel ?? .email
        var mailing = Mailing(name: name, channel: fallback, provider: provider() ?? "")
        content(&mailing)
        pace(&mailing)
        let source = recipients()
        guard problems.isEmpty, let source else {
            throw MailingFileError(
                problems: problems.sorted { ($0.line ?? 0, $0.column ?? 0) < ($1.line ?? 0, $1.column ?? 0) })
        }
        return MailingFile(mailing: mailing, recipients: source)
    }

    private mutating func checkKeys() {
        let known = Self.common + Self.content
        for entry in document.entries where !known.contains(entry.key) {
            report(
                entry, at: entry.keyPlace, "is no key of a mailing; \(suggestion(entry.key, known, "the keys are"))")
        }
    }

    private mutating func content(_ mailing: inout Mailing) {
        guard let channel else { return }
        let allowed = Self.content(of: channel)
        for entry in document.entries where Self.content.contains(entry.key) && !allowed.contains(entry.key) {
            report(
                entry, at: entry.keyPlace,
                "is not used by the channel \(channel.rawValue), which takes \(allowed.joined(separator: ", ")); leave it out")
        }
        switch channel {
        case .email:
            mailing.from = mailbox("from", required("from", "the sender: \"Example Shop <news@example.com>\""))
            mailing.replyTo = mailbox("reply_to", text("reply_to"))
            mailing.subject = template("subject", needed: "the subject line") ?? .empty
            if mailing.subject.source.contains(where: \.isNewline) {
                report(entry("subject"), "has a line break in it; a subject is one line")
            }
            mailing.html = template("html") ?? .empty
            mailing.text = template("text") ?? .empty
            if entry("html") == nil, entry("text") == nil {
                report(missing: "html", "is missing; an e-mail needs html or text, inline or as a file's name")
            }
        case .sms:
            mailing.from = text("from") ?? ""
            if mailing.from.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
                report(entry("from"), "has a line break or another control character in it")
            }
            mailing.text = template("text", needed: "the message") ?? .empty
        case .webhook:
            mailing.body = template("body", needed: "the JSON that is posted, inline or as a file's name") ?? .empty
        }
    }

    private mutating func pace(_ mailing: inout Mailing) {
        if let speed = text("speed") {
            do {
                mailing.speed = try RateLimit(speed).description
            } catch {
                report(entry("speed"), error.description)
            }
        }
        mailing.batchSize = number("batch_size", in: 1...10_000) ?? mailing.batchSize
        mailing.attempts = number("attempts", in: 1...100) ?? mailing.attempts
        if let lifetime = text("lifetime") {
            do {
                let span = try TimeSpan(lifetime)
                if span.seconds <= 365 * 86_400 {
                    mailing.lifetime = Double(span.seconds)
                } else {
                    report(entry("lifetime"), "is longer than 365d")
                }
            } catch {
                report(entry("lifetime"), error.description)
            }
        }
        if let uncertain = text("uncertain") {
            mailing.uncertain = choice("uncertain", uncertain) ?? mailing.uncertain
        }
    }

    /// A sender in full, or an empty text.
    private mutating func mailbox(_ key: String, _ text: String?) -> String {
        guard let text else { return "" }
        if text.contains("{{") {
            report(entry(key), "has merge fields in it; it is the same for all recipients")
            return ""
        }
        do {
            _ = try Mailbox(text)
        } catch {
            report(entry(key), "'\(text)' \(error.description)")
        }
        return text
    }
}

extension MailingCheck {
    private mutating func provider() -> String? {
        if let given = overrides.provider { return judge(provider: given, entry: nil) }
        let what = "where messages go: smtp://host:port, https://host/path, or the name of a provider in flotilla.yaml"
        guard let given = required("provider", what) else { return nil }
        return judge(provider: given, entry: entry("provider"))
    }

    private mutating func judge(provider text: String, entry: Entry?) -> String? {
        let isName = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                true
            default: false
            }
        }
        if isName, !text.isEmpty { return text }
        let key = entry == nil ? "--provider" : "provider"
        do {
            let provider = try ProviderURL.parse(text)
            let isMail = provider.scheme == .smtp || provider.scheme == .smtps
            guard let channel, isMail != (channel == .email) else { return text }
            report(
                entry, key: key,
                "has the scheme \(provider.scheme.rawValue), but the channel \(channel.rawValue) goes by "
                    + (channel == .email ? "smtp or smtps" : "http or https"))
        } catch {
            report(entry, key: key, error.description)
        }
        return nil
    }

    /// The text of a template: the value itself, or that of the file that it names.
    private mutating func template(_ key: String, needed: String? = nil) -> Mailing.Template? {
        let found = needed.map { required(key, $0) } ?? text(key)
        guard let value = found, let entry = entry(key), case .scalar(_, let isBlock) = entry.value else { return nil }
        let suffixes = [".html", ".txt", ".json", ".mustache"]
        guard !value.contains(where: \.isNewline), suffixes.contains(where: { value.lowercased().hasSuffix($0) }) else {
            return Mailing.Template(source: value, file: document.path, line: entry.place.line + (isBlock ? 1 : 0))
        }
        let path = TextFile.beside(document.path, value)
        switch TextFile.read(path, limit: 4 << 20) {
        case .failure(let fault):
            report(entry, "the file \(path) \(fault.description)")
            return nil
        case .success(let text):
            // The last line's end belongs to the file, and must not get into a subject.
            let source = key == "subject" && text.last?.isNewline == true ? String(text.dropLast()) : text
            if source.isEmpty { report(entry, "the file \(path) is empty") }
            return Mailing.Template(source: source, file: path)
        }
    }

    private mutating func recipients() -> RecipientSource? {
        guard let entry = entry("recipients") else {
            report(missing: "recipients", "is missing: {file: recipients.csv, id: id, address: email}")
            return nil
        }
        guard case .mapping(let entries) = entry.value else {
            report(entry, "must be a mapping: {file: recipients.csv, id: id, address: email}")
            return nil
        }
        let known = ["file", "format", "id", "address", "country"]
        for inner in entries where !known.contains(inner.key) {
            report(
                inner, key: "recipients.\(inner.key)", at: inner.keyPlace,
                "is no key of recipients; \(suggestion(inner.key, known, "the keys are"))")
        }
        func inner(_ key: String) -> Entry? { entries.first { $0.key == key } }
        var values: [String: String] = [:]
        for key in known {
            if let found = inner(key), let value = scalar(found, key: "recipients.\(key)") { values[key] = value }
        }
        if inner("address") == nil {
            report(entry, key: "recipients.address", "is missing: the column of the address")
        }
        if let country = values["country"] {
            if let channel, channel != .sms {
                report(inner("country"), key: "recipients.country", "is only used by the channel sms; leave it out")
            } else if PhoneCountry(country) == nil {
                report(
                    inner("country"), key: "recipients.country",
                    "'\(country)' is no country; write its ISO 3166-1 code, such as DE, FR or US")
            }
        }
        let given = overrides.recipients ?? values["file"].map { TextFile.beside(document.path, $0) }
        guard let given else {
            if inner("file") == nil { report(entry, key: "recipients.file", "is missing: a CSV or NDJSON file") }
            return nil
        }
        let fileEntry = overrides.recipients == nil ? inner("file") : nil
        let fileKey = overrides.recipients == nil ? "recipients.file" : "--recipients"
        if let fault = TextFile.fault(ofInput: given) { report(fileEntry, key: fileKey, "\(given) \(fault.description)") }
        var format: RecipientSource.Format?
        if let name = values["format"], overrides.recipients == nil || Self.format(of: given) == nil {
            format = choice("recipients.format", name, entry: inner("format"))
        } else {
            format = Self.format(of: given)
            if format == nil {
                report(
                    fileEntry, key: fileKey,
                    "'\(given)' does not say its format by .csv, .tsv, .txt, .ndjson or .jsonl; add 'format: csv' or "
                        + "'format: ndjson' to recipients")
            }
        }
        guard let format else { return nil }
        return RecipientSource(
            file: TextFile.absolute(given), format: format, id: values["id"] ?? "", address: values["address"] ?? "",
            country: values["country"]?.uppercased())
    }

    private static func format(of path: String) -> RecipientSource.Format? {
        let path = path.lowercased()
        if [".csv", ".tsv", ".txt"].contains(where: path.hasSuffix) { return .csv }
        if [".ndjson", ".jsonl"].contains(where: path.hasSuffix) { return .ndjson }
        return nil
    }
}

extension MailingCheck {
    private func entry(_ key: String) -> Entry? { document.entries.first { $0.key == key } }

    /// The text of an entry; reports one that is empty or no text.
    private mutating func scalar(_ entry: Entry, key: String) -> String? {
        switch entry.value {
        case .scalar(let text, _) where !text.allSatisfy(\.isWhitespace): return text
        case .scalar, .null: report(entry, key: key, "is empty; give it a value or leave it out")
        case .mapping, .sequence: report(entry, key: key, "must be a text or a number, not a list or a mapping")
        }
        return nil
    }

    private mutating func text(_ key: String) -> String? { entry(key).flatMap { scalar($0, key: key) } }

    private mutating func required(_ key: String, _ what: String) -> String? {
        guard let entry = entry(key) else {
            report(missing: key, "is missing: \(what)")
            return nil
        }
        return scalar(entry, key: key)
    }

    private mutating func number(_ key: String, in range: ClosedRange<Int>) -> Int? {
        guard let text = text(key) else { return nil }
        guard let value = Int(text), range.contains(value) else {
            report(entry(key), "'\(text)' is no whole number from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return value
    }

    private mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ key: String, _ text: String, entry: Entry? = nil
    ) -> Choice? {
        if let value = Choice(rawValue: text) { return value }
        let names = Choice.allCases.map(\.rawValue)
        report(entry ?? self.entry(key), key: key, "'\(text)' is not allowed; \(suggestion(text, names, "it is one of"))")
        return nil
    }

    private static func list<Choice: RawRepresentable<String>>(_ choices: [Choice]) -> String {
        choices.map(\.rawValue).joined(separator: ", ")
    }

    private func suggestion(_ word: String, _ names: [String], _ lead: String) -> String {
        let nearest = Spelling.nearest(to: word, among: names).map { "did you mean '\($0)'? (" } ?? ""
        return "\(nearest)\(lead) \(names.joined(separator: ", "))" + (nearest.isEmpty ? "" : ")")
    }

    private mutating func report(_ entry: Entry?, key: String? = nil, at place: MailingDocument.Place? = nil, _ text: String) {
        let place = place ?? entry?.place
        problems.append(
            .init(
                file: document.path, line: place?.line, column: place?.column, key: key ?? entry?.key ?? "", text: text))
    }

    private mutating func report(missing key: String, _ text: String) {
        problems.append(.init(file: document.path, line: nil, column: nil, key: key, text: text))
    }
}
