import Text

/// An invitation as messages have it: lines of CRLF, folded (RFC 5545 section 3.1).
package struct CalendarText: Sendable, Equatable {
    package let bytes: [UInt8]
    /// What is asked of the reader, `REQUEST` mostly (RFC 5546); Content-Type says the same (RFC 6047 section 2.4).
    package let method: String

    /// Why a file is no invitation; goes behind its name.
    package struct Fault: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    /// Bytes of a line, without its end, before it is folded.
    private static let longest = 75

    /// - Parameter file: UTF-8, with line ends of any kind.
    package init(_ file: [UInt8]) throws(Fault) {
        guard let whole = String(validating: file, as: UTF8.self) else { throw Fault(description: "is not UTF-8; save it as UTF-8") }
        let text = whole.unicodeScalars.first == "\u{feff}" ? String(whole.unicodeScalars.dropFirst()) : whole
        var lines: [(number: Int, text: String)] = []
        for (index, line) in text.replacing("\r\n", with: "\n").replacing("\r", with: "\n").split(
            separator: "\n", omittingEmptySubsequences: false
        )
        .enumerated() {
            if line.isEmpty { continue }
            if let first = line.first, first == " " || first == "\t", !lines.isEmpty {
                lines[lines.count - 1].text += line.dropFirst()
            } else {
                lines.append((index + 1, String(line)))
            }
        }
        method = try Self.method(lines)
        bytes = lines.flatMap { Self.folded($0.text) }
    }

    /// Judges the lines, and finds the method of the calendar.
    private static func method(_ lines: [(number: Int, text: String)]) throws(Fault) -> String {
        var (open, methods, events): ([String], [String], Int) = ([], [], 0)
        for (number, line) in lines {
            func fault(_ text: String) -> Fault { Fault(description: "line \(number): \(text)") }
            let name = line.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
            guard !name.isEmpty, let sign = line.dropFirst(name.count).first, sign == ":" || sign == ";", line.contains(":") else {
                throw fault("is no line of a calendar: NAME:VALUE")
            }
            if line.unicodeScalars.contains(where: { $0.properties.generalCategory == .control && $0 != "\t" }) {
                throw fault("has a control character in it")
            }
            let value = line.dropFirst(name.count + 1)
            switch name.uppercased() {
            case "BEGIN":
                if open.isEmpty, number != lines[0].number { throw fault("begins a second calendar; a message has one") }
                open.append(value.uppercased())
                if open.count == 2, value.uppercased() != "VTIMEZONE" { events += 1 }
            case "END": if open.popLast() != value.uppercased() { throw fault("ends what has not begun") }
            case "METHOD" where open == ["VCALENDAR"]: methods.append(value.uppercased())
            default: break
            }
            if open.first != "VCALENDAR", name.uppercased() != "END" { throw fault("stands outside of BEGIN:VCALENDAR") }
        }
        guard open.isEmpty, !lines.isEmpty else { throw Fault(description: "has no END:VCALENDAR") }
        guard events > 0 else { throw Fault(description: "has no event in it: BEGIN:VEVENT") }
        guard let method = methods.first, methods.count == 1, method.utf8.allSatisfy({ $0.isLetterOrDigit || $0 == UInt8(ascii: "-") }),
            1...40 ~= method.utf8.count
        else { throw Fault(description: "needs one METHOD, such as METHOD:REQUEST behind BEGIN:VCALENDAR (RFC 5546)") }
        return method
    }

    /// No character is split between lines.
    private static func folded(_ line: String) -> [UInt8] {
        var (out, column): ([UInt8], Int) = ([], 0)
        for scalar in line.unicodeScalars {
            let bytes = Array(String(scalar).utf8)
            if column + bytes.count > longest {
                out += "\r\n ".utf8
                column = 1
            }
            out += bytes
            column += bytes.count
        }
        return out + "\r\n".utf8
    }
}
