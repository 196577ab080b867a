/// A value inside a section: text, or what a field's JSON holds.
indirect enum StructuredValue: Equatable {
    case null
    case bool(Bool)
    /// As it was written.
    case number(ArraySlice<UInt8>)
    case text([UInt8])
    /// With its JSON as it was written.
    case list([StructuredValue], source: ArraySlice<UInt8>)
    case object([Member], source: ArraySlice<UInt8>)

    struct Member: Equatable {
        var name: [UInt8]
        var value: StructuredValue
    }

    /// The value of a field that may hold JSON: anything but a valid list or object is text.
    init(field: [UInt8]) {
        let first = field.first { !$0.isBlank && $0 != 0x0a && $0 != 0x0d }
        guard first == UInt8(ascii: "[") || first == UInt8(ascii: "{"), let value = try? Self.read(field) else {
            self = .text(field)
            return
        }
        self = value
    }

    /// Neither null, false, 0, nor empty text or list; text as for plain fields.
    var isTrue: Bool {
        switch self {
        case .null: false
        case .bool(let value): value
        case .number(let digits): digits.contains { (UInt8(ascii: "1")...UInt8(ascii: "9")).contains($0) }
        case .text(let text): text.withUnsafeBufferPointer(\.isTrue)
        case .list(let items, _): !items.isEmpty
        case .object: true
        }
    }

    var isNested: Bool {
        switch self {
        case .list, .object: true
        case .null, .bool, .number, .text: false
        }
    }

    /// What interpolation writes: lists and objects as their JSON.
    var written: [UInt8] {
        switch self {
        case .null: []
        case .bool(let value): Array((value ? "true" : "false").utf8)
        case .number(let digits): Array(digits)
        case .text(let text): text
        case .list(_, let source), .object(_, let source): Array(source)
        }
    }

    /// The member of an object; of two with one name the last, as JSON readers have it.
    func member(_ name: [UInt8]) -> StructuredValue? {
        guard case .object(let members, _) = self else { return nil }
        return members.last { $0.name == name }?.value
    }

    /// The member of a member of …; null where the chain breaks.
    func descend(_ path: some Sequence<[UInt8]>) -> StructuredValue {
        var value = self
        for name in path {
            guard let next = value.member(name) else { return .null }
            value = next
        }
        return value
    }
}
