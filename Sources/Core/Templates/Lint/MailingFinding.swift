/// What is wrong with a mailing before it is sent: what, where, why it matters and what to do.
package struct MailingFinding: Sendable, Equatable, Encodable {
    package enum Severity: String, Sendable, Encodable {
        /// The mailing cannot be sent like this, or is refused.
        case fault
        /// It can be sent, and something in it should be changed.
        case warning
    }

    package var severity: Severity
    /// What was looked at: `mailing`, `template`, `recipients`, `provider`, or the rule of the lint.
    package var check: String
    /// Nil where no file is meant.
    package var file: String?
    /// From 1; nil where the file as a whole is meant.
    package var line: Int?
    package var column: Int?
    package var what: String
    /// Empty where `what` says it.
    package var why: String
    /// What to do; empty where `what` says it.
    package var advice: String

    package init(
        _ severity: Severity, _ check: String, file: String? = nil, line: Int? = nil, column: Int? = nil, _ what: String, why: String = "",
        do advice: String = ""
    ) {
        (self.severity, self.check, self.file, self.line, self.column) = (severity, check, file, line, column)
        (self.what, self.why, self.advice) = (what, why, advice)
    }

    /// A fault of a template.
    package init(_ problem: TemplateError.Problem, _ severity: Severity) {
        self.init(
            severity, "template", file: problem.file.isEmpty ? nil : problem.file, line: problem.line > 0 ? problem.line : nil,
            column: problem.column > 0 ? problem.column : nil, problem.what, do: problem.remedy)
    }

    /// `message.html:12:5`; empty where no file is meant.
    package var place: String { [file, line.map(String.init), column.map(String.init)].compactMap(\.self).joined(separator: ":") }
}
