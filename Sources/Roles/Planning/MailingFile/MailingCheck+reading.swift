import Policy
import Text

extension MailingCheck {
    func entry(_ key: String) -> Entry? { document.entries.first { $0.key == key } }

    /// The text of an entry; reports one that is empty or no text.
    mutating func scalar(_ entry: Entry, key: String) -> String? {
        switch entry.value {
        case .scalar(let text, _) where !text.allSatisfy(\.isWhitespace): return text
        case .scalar, .null: report(entry, key: key, "is empty; give it a value or leave it out")
        case .mapping, .sequence: report(entry, key: key, "must be a text or a number, not a list or a mapping")
        }
        return nil
    }

    mutating func text(_ key: String) -> String? { entry(key).flatMap { scalar($0, key: key) } }

    mutating func required(_ key: String, _ what: String) -> String? {
        guard let entry = entry(key) else {
            report(missing: key, "is missing: \(what)")
            return nil
        }
        return scalar(entry, key: key)
    }

    mutating func number(_ key: String, in range: ClosedRange<Int>) -> Int? {
        guard let text = text(key) else { return nil }
        guard let value = Int(text), range.contains(value) else {
            report(entry(key), "'\(text)' is no whole number from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return value
    }

    /// A length of time in seconds, a year at most.
    mutating func span(_ key: String) -> Double? {
        guard let text = text(key) else { return nil }
        do {
            let span = try TimeSpan(text)
            guard span.seconds > 365 * 86_400 else { return Double(span.seconds) }
            report(entry(key), "is longer than 365d")
        } catch {
            report(entry(key), error.description)
        }
        return nil
    }

    mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ key: String, _ text: String, entry: Entry? = nil
    ) -> Choice? {
        if let value = Choice(rawValue: text) { return value }
        let names = Choice.allCases.map(\.rawValue)
        report(
            entry ?? self.entry(key), key: key, "'\(text)' is not allowed; \(suggestion(text, names, "it is one of"))")
        return nil
    }

    static func list<Choice: RawRepresentable<String>>(_ choices: [Choice]) -> String {
        choices.map(\.rawValue).joined(separator: ", ")
    }

    func suggestion(_ word: String, _ names: [String], _ lead: String) -> String {
        let nearest = NearestName.of(word, among: names).map { "did you mean '\($0)'? (" } ?? ""
        return "\(nearest)\(lead) \(names.joined(separator: ", "))" + (nearest.isEmpty ? "" : ")")
    }

    mutating func report(_ entry: Entry?, key: String? = nil, at place: MailingDocument.Place? = nil, _ text: String) {
        let place = place ?? entry?.place
        problems.append(
            .init(
                file: document.path, line: place?.line, column: place?.column, key: key ?? entry?.key ?? "", text: text)
        )
    }

    mutating func report(missing key: String, _ text: String) {
        problems.append(.init(file: document.path, line: nil, column: nil, key: key, text: text))
    }
}
