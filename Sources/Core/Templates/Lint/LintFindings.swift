import Model
import Text

/// What the lint found in a template, in the order in which it was found: the first of each rule, and how many more there are.
struct LintFindings {
    private var found: [(rule: LintRule, finding: MailingFinding)] = []
    private var counts: [String: Int] = [:]
    private let source: TemplateSource?
    private let file: String

    /// Findings of a rule that are listed.
    private static let most = 10

    init(_ source: TemplateSource) { (self.source, file) = (source, source.file) }

    /// Of a mailing as a whole.
    init(file: String) { (source, self.file) = (nil, file) }

    /// - Parameters:
    ///   - offset: of the template's source; nil for the template as a whole.
    ///   - severity: in place of the rule's.
    ///   - kind: tells findings of a rule apart that are counted by themselves.
    mutating func note(
        _ rule: LintRule, at offset: Int? = nil, _ what: String, severity: MailingFinding.Severity? = nil, kind: String = "",
        do advice: String? = nil
    ) {
        let key = "\(rule.rawValue) \(kind)"
        counts[key, default: 0] += 1
        guard counts[key, default: 0] <= Self.most else { return }
        let place = offset.flatMap { source?.problem(at: $0, "", "") }
        let finding = MailingFinding(
            severity ?? rule.severity, rule.rawValue, file: file.isEmpty ? nil : file, line: place?.line, column: place?.column, what,
            why: rule.why,
            do: advice ?? rule.advice)
        found.append((rule, finding))
    }

    /// In the order of their places.
    var findings: [MailingFinding] {
        let listed = found.map(\.finding).sorted { ($0.line ?? 0, $0.column ?? 0) < ($1.line ?? 0, $1.column ?? 0) }
        let more = counts.filter { $0.value > Self.most }.sorted { $0.key < $1.key }.map { key, count in
            let name = key.split(separator: " ").map(String.init)
            let rule = LintRule(rawValue: name[0]) ?? .unsupported
            let what = "there are \(count - Self.most) more like this" + (name.count > 1 ? ": \(name[1])" : "")
            return MailingFinding(rule.severity, rule.rawValue, file: file.isEmpty ? nil : file, what, why: rule.why, do: rule.advice)
        }
        return listed + more
    }
}
