/// Which enhanced status codes a rule is about: `5.7.1`, `4.7.*`, `*.2.2`, `5.7.20-27`.
package struct EnhancedCodePattern: Sendable, Equatable, CustomStringConvertible {
    /// 2 to 5.
    package let category: ClosedRange<Int>
    /// 0 to 999 where any will do.
    package let subject: ClosedRange<Int>
    package let detail: ClosedRange<Int>

    static let anyCategory = 2...5
    static let anyNumber = 0...999

    /// One code, or a row of them in one subject.
    init(_ category: Int, _ subject: Int, _ detail: ClosedRange<Int> = anyNumber) {
        self.category = category...category
        self.subject = subject...subject
        self.detail = detail
    }

    /// Reads three parts between dots, each a number, `*`, or numbers from and to; nil for anything else.
    package init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let category = Self.part(parts[0], in: Self.anyCategory),
            let subject = Self.part(parts[1], in: Self.anyNumber), let detail = Self.part(parts[2], in: Self.anyNumber)
        else { return nil }
        self.category = category
        self.subject = subject
        self.detail = detail
    }

    package func fits(_ code: EnhancedCode) -> Bool {
        category.contains(code.category) && subject.contains(code.subject) && detail.contains(code.detail)
    }

    package var description: String {
        [(category, Self.anyCategory), (subject, Self.anyNumber), (detail, Self.anyNumber)].map { part, all in
            part == all ? "*" : part.count == 1 ? "\(part.lowerBound)" : "\(part.lowerBound)-\(part.upperBound)"
        }.joined(separator: ".")
    }

    private static func part(_ text: Substring, in all: ClosedRange<Int>) -> ClosedRange<Int>? {
        if text == "*" { return all }
        return NumberRange.read(text, in: all)
    }
}
