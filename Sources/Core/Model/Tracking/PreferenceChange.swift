/// What a recipient changed on the page of preferences: what they want to get from now on, and what not.
package struct PreferenceChange: Sendable, Equatable {
    /// All mailings of the channel; nil where that stays as it is. It comes before what is said of categories.
    package var all: Bool?
    /// Categories, by their names.
    package var categories: [String: Bool]

    package init(all: Bool? = nil, categories: [String: Bool] = [:]) { (self.all, self.categories) = (all, categories) }

    /// Something is not wanted any more.
    package var declines: Bool { all == false || categories.values.contains(false) }

    package var isEmpty: Bool { all == nil && categories.isEmpty }

    /// Bytes of its text at most.
    package static let bytes = RecipientPreferences.most * (Category.longest + 2) + 2

    /// As it travels: `+` for what is wanted and `-` for what is not, each with a name, or `*` for all; with blanks between. Of more
    /// than `RecipientPreferences.most` categories the first ones.
    package var text: String {
        let first = all.map { ["\($0 ? "+" : "-")*"] } ?? []
        return (first + categories.sorted { $0.key < $1.key }.prefix(RecipientPreferences.most).map { "\($1 ? "+" : "-")\($0)" }).joined(
            separator: " ")
    }

    /// Nil for a text that is none. Names that no category can have are refused; whether there is such a category only the ledger knows.
    package init?(_ text: String) {
        guard text.utf8.count <= Self.bytes else { return nil }
        self.init()
        for part in text.split(separator: " ") {
            guard part.first == "+" || part.first == "-" else { return nil }
            let (isWanted, name) = (part.first == "+", String(part.dropFirst()))
            if name == "*" {
                all = isWanted
            } else {
                guard Category.fault(name) == nil else { return nil }
                categories[name] = isWanted
            }
        }
        guard categories.count <= RecipientPreferences.most else { return nil }
    }
}
