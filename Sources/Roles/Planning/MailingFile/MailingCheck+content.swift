import Model
import Policy
import Text

extension MailingCheck {
    mutating func provider() -> String? {
        if let given = overrides.provider { return judge(provider: given, entry: nil) }
        let what = "where messages go: smtp://host:port, https://host/path, or the name of a provider in flotilla.yaml"
        guard let given = required("provider", what) else { return nil }
        return judge(provider: given, entry: entry("provider"))
    }

    private mutating func judge(provider text: String, entry: Entry?) -> String? {
        let isName = text.utf8.allSatisfy { $0.isLetterOrDigit || "-_.".utf8.contains($0) }
        if isName, !text.isEmpty { return text }
        let key = entry == nil ? "--provider" : "provider"
        do {
            let provider = try ProviderURL.parse(text)
            guard let channel, provider.scheme.isSMTP != (channel == .email) else { return text }
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
    mutating func template(_ key: String, needed: String? = nil) -> Mailing.Template? {
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
}
