/// Numbers of things, for people.
package enum Plural {
    /// `1 batch`, `3 batches`.
    /// - Parameter many: the word for several; by default with an `s`.
    package static func text(_ number: Int, _ one: String, _ many: String? = nil) -> String {
        "\(number) \(number == 1 ? one : many ?? one + "s")"
    }

    /// The first few of some names, with the number of the others: `a, b and 3 more`.
    package static func list(_ names: [String], atMost most: Int = 3) -> String {
        let shown = names.prefix(most).joined(separator: ", ")
        return names.count > most ? "\(shown) and \(names.count - most) more" : shown
    }
}
