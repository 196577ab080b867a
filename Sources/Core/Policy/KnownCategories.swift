import Text

/// The categories that a ledger knows. A category comes to be by an order of a person alone, so that a misspelt one never sends: nobody is
/// unsubscribed from it.
package struct KnownCategories: Sendable, Equatable {
    /// What is shown of a long list.
    private static let shown = 10

    package let names: [String]
    /// What a command needs to find the same ledger.
    private let options: String

    /// - Parameters:
    ///   - names: in their order.
    ///   - ledger: the `--ledger` of the command that asks; nil where it named none.
    package init(_ names: [String], ledger: String? = nil) {
        self.names = names
        options = ledger.map { " --ledger \($0)" } ?? ""
    }

    /// Why a category does not do, what may be meant, and how it is added; nil for one that is known, and for none.
    package func fault(_ name: String) -> String? {
        guard !name.isEmpty, !names.contains(name) else { return nil }
        return
            "'\(name)' is not a known category\(meant(name)). A new one is added by: flotilla suppressions categories add \(name)\(options)"
    }

    private func meant(_ name: String) -> String {
        if let nearest = NearestName.of(name, among: names) { return " (did you mean '\(nearest)'?)" }
        if names.isEmpty { return " (there are none yet)" }
        return " (known: \(Plural.list(names, atMost: Self.shown)))"
    }
}
