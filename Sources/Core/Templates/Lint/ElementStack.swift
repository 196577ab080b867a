/// Which elements of an HTML template are open, and which have no end (HTML Standard, section 13.1.2).
struct ElementStack {
    struct Element: Equatable {
        var name: String
        var offset: Int
    }

    enum Fault: Equatable {
        case unclosed(Element)
        case stray(String, offset: Int)
        case tooDeep(offset: Int)
    }

    /// More are not followed, so that the work stays bounded.
    static let deepest = 256

    private(set) var open: [Element] = []
    private var sections: [[Element]] = []
    /// A section opens elements that end elsewhere: what is open depends on a recipient's values.
    private(set) var isUnknown = false

    /// Elements without an end tag.
    static let void: Set<String> = [
        "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr", "basefont", "frame",
    ]
    /// Elements whose end tag may be missing (section 13.1.2.4).
    private static let optional: Set<String> = [
        "p", "li", "dt", "dd", "tr", "td", "th", "thead", "tbody", "tfoot", "option", "optgroup", "colgroup", "caption", "rt", "rp", "html",
        "head", "body",
    ]
    private static let table: Set<String> = ["table", "thead", "tbody", "tfoot", "tr", "td", "th", "caption", "colgroup"]
    private static let cells: Set<String> = ["td", "th", "caption", "table"]

    mutating func begin(_ name: String, at offset: Int) -> Fault? {
        guard !isUnknown, !Self.void.contains(name) else { return nil }
        guard open.count < Self.deepest else {
            isUnknown = true
            return .tooDeep(offset: offset)
        }
        open.append(Element(name: name, offset: offset))
        return nil
    }

    mutating func end(_ name: String, at offset: Int) -> [Fault] {
        guard !isUnknown, !Self.void.contains(name) else { return [] }
        var index = open.count
        while index > 0 {
            index -= 1
            if open[index].name == name {
                let faults = Self.unclosed(open[(index + 1)...])
                open.removeSubrange(index...)
                return faults
            }
            // A cell's content ends in the cell.
            if Self.cells.contains(open[index].name), !Self.table.contains(name) { break }
        }
        // A browser makes an empty paragraph of it.
        return name == "p" ? [] : [.stray(name, offset: offset)]
    }

    mutating func beginSection() {
        if sections.count < Self.deepest { sections.append(open) } else { isUnknown = true }
    }

    mutating func endSection() {
        guard !isUnknown, let before = sections.popLast() else { return }
        if before != open { isUnknown = true }
    }

    /// The template ends.
    mutating func finish() -> [Fault] { isUnknown ? [] : Self.unclosed(open[...]) }

    private static func unclosed(_ elements: ArraySlice<Element>) -> [Fault] {
        elements.filter { !optional.contains($0.name) }.map(Fault.unclosed)
    }
}
