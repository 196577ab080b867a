/// A number with commas between groups of three digits, as `1,234,567`.
package func grouped(_ number: Int) -> String {
    var digits = Array(String(number.magnitude))
    var place = digits.count - 3
    while place > 0 {
        digits.insert(",", at: place)
        place -= 3
    }
    return (number < 0 ? "-" : "") + String(digits)
}

/// A number of things in words, as `1 row` and `1,234 rows`.
/// - Parameter thing: one of them; its plural has an `s`.
package func counted(_ number: Int, _ thing: String) -> String { "\(grouped(number)) \(thing)\(number == 1 ? "" : "s")" }
