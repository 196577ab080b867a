import Text

extension CompiledTemplate {
    /// The template is JSON (RFC 8259) whatever the values are: each of them stands inside of a string and is escaped for it, and no
    /// section reaches out of a string.
    var isAlwaysJSON: Bool {
        var place = JSONStringPlace()
        // The end of each open section, and where it began.
        var open: [(end: Int, place: JSONStringPlace)] = []
        // A link's target stands before the link as it was written, and is no part of the body.
        var behindTarget = 0
        var written: [UInt8] = []
        for (index, segment) in segments.enumerated() where index >= behindTarget {
            while let section = open.last, section.end == index {
                guard place == section.place else { return false }
                open.removeLast()
            }
            switch segment {
            case .literal(let start, let end):
                place.pass(literals[Int(start)..<Int(end)])
                written += literals[Int(start)..<Int(end)]
            case .field(_, .json), .reference(_, .json), .tracker:
                guard place.isInText else { return false }
            case .link(let number):
                guard place.isInText else { return false }
                behindTarget = links[Int(number)].origin
            case .section(_, let end), .inverted(_, let end), .nestedSection(_, let end), .nestedInverted(_, let end):
                guard place.isInText else { return false }
                open.append((Int(end), place))
            default: return false
            }
        }
        guard open.allSatisfy({ $0.end == segments.count && $0.place == place }) else { return false }
        // With values and sections in strings alone, the template without them tells of all.
        return written.withUnsafeBufferPointer { literals in
            var cursor = JSONCursor(literals)
            return (try? cursor.skipValue()) != nil && (try? cursor.end()) != nil
        }
    }
}

/// Where in a JSON text one stands, as far as strings go.
private struct JSONStringPlace: Equatable {
    /// Strings that have begun or ended.
    private var marks = 0
    /// Characters of an escape that follow.
    private var escaped = 0
    /// The next character is the one behind a backslash.
    private var isFirstOfEscape = false

    /// Inside of a string, and not inside of an escape.
    var isInText: Bool { marks % 2 == 1 && escaped == 0 }

    mutating func pass(_ bytes: ArraySlice<UInt8>) {
        for byte in bytes {
            if escaped > 0 {
                escaped = escaped == 1 && byte == UInt8(ascii: "u") && isFirstOfEscape ? 4 : escaped - 1
                isFirstOfEscape = false
            } else if byte == UInt8(ascii: "\"") {
                marks += 1
            } else if byte == UInt8(ascii: "\\"), marks % 2 == 1 {
                escaped = 1
                isFirstOfEscape = true
            }
        }
    }
}
