/// Follows the text of a template, and knows where a value would stand after it.
///
/// It is a finite machine: equal machines go on alike.
protocol PlaceMachine: Hashable {
    /// The machine at the begin of a template.
    init()
    mutating func advance(_ byte: UInt8)
    /// Where a value stands now.
    var place: ValuePlace { get }
    /// A value that is empty would end here what it should be, and take what follows in its place.
    var needsQuotes: Bool { get }
    /// What has to stand before a value here, so that it joins nothing before it; nil for nothing.
    var separator: StaticString? { get }
    /// Why no value can be escaped here, and what to do; nil where one can.
    var refusal: PlaceRefusal? { get }
    /// Passes a value, which is escaped for its place and so does not leave it.
    mutating func advanceValue()
}

extension PlaceMachine {
    var needsQuotes: Bool { false }
    var separator: StaticString? { nil }
    var refusal: PlaceRefusal? { nil }

    mutating func advance(_ bytes: [UInt8]) { for byte in bytes { advance(byte) } }
}

/// Why a template may have no value at a place.
struct PlaceRefusal: Equatable {
    /// With `{{}}` for the value's tag.
    let what: String
    /// With `{{{}}}` for the tag that writes the value as it is.
    let remedy: String

    /// The end of remedies.
    static let unescaped = "'{{{}}}' writes the value as it is"
}
