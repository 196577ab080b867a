package import Model
import Text

extension BodyComposer {
    /// The body is JSON whatever the values of a recipient are.
    package var isAlwaysJSON: Bool { template.isAlwaysJSON }

    /// Why the body for a recipient is no JSON (RFC 8259), with the place; nil where it is JSON.
    package func jsonFault(_ recipients: Recipients, row: Int) -> String? {
        var body: [UInt8] = []
        compose(recipients, row: row, into: &body)
        do throws(JSONSyntaxError) {
            try body.withUnsafeBufferPointer { bytes throws(JSONSyntaxError) in
                var cursor = JSONCursor(bytes)
                try cursor.skipValue()
                try cursor.end()
            }
            return nil
        } catch {
            let before = String(decoding: body[max(0, error.offset - 30)..<error.offset], as: UTF8.self)
            let after = String(decoding: body[error.offset..<min(body.count, error.offset + 30)], as: UTF8.self)
            return "the body is not JSON: it \(error.problem), here: \(before) >>> \(after)"
        }
    }

    /// Checks that some values make the body JSON. A template is refused only where it is certain that none do: it may have values that
    /// bring JSON of their own (`{{{a}}}`), of which nothing is known here.
    /// - Throws: `TemplateError` that shows the place in a body with the value 1 everywhere.
    package func checkJSON() throws(TemplateError) {
        guard let fault = jsonFault(template.probe([:]), row: 0) else { return }
        let (choices, isWhole) = template.jsonChoices
        guard isWhole, choices.allSatisfy({ jsonFault(template.probe($0), row: 0) != nil }) else { return }
        throw TemplateError([
            TemplateError.Problem(
                file: file, line: line, what: "whatever the values are, \(fault)", remedy: Self.jsonRemedy)
        ])
    }

    /// What is said where none of some recipients can be sent to.
    package func jsonWarning(_ fault: String, rows: Int) -> TemplateError.Problem {
        TemplateError.Problem(
            file: file, line: line,
            what: "none of the first \(rows) recipients can be sent to, and each such one is excluded (invalid_body): with the first one's "
                + "values \(fault)", remedy: Self.jsonRemedy)
    }

    private static let jsonRemedy = "put texts into quotes, and leave no comma before '}' or ']'"
}

extension CompiledTemplate {
    /// Columns of sections of which all choices are tried: 3 values of each, 243 bodies.
    private static let mostChoices = 5

    /// A row with 1 in each column but for some.
    fileprivate func probe(_ values: [Int: String]) -> Recipients {
        var row = Recipients(width: max(width, 2))
        for column in 0..<row.width { row.append(Array((values[column] ?? (column == kindsColumn ? "" : "1")).utf8)) }
        return row
    }

    /// The values that tell of all values: outside of strings a value is one JSON value, like any other, and a section is there or is not.
    /// - Returns: what to put into which columns; and whether nothing else in the template can make a difference.
    fileprivate var jsonChoices: (choices: [[Int: String]], isWhole: Bool) {
        var columns: Set<Int> = []
        for segment in segments {
            switch segment {
            case .section(let column, _), .inverted(let column, _): columns.insert(Int(column))
            // The value may be the rest of an escape.
            case .literal(let start, let end):
                if literals[Int(start)..<Int(end)].suffix(5).contains(UInt8(ascii: "\\")) { return ([], false) }
            case .field(_, .json), .field(_, .placed(.jsonScalar, _)), .tracker, .link: continue
            case .reference(let number, .json), .reference(let number, .placed(.jsonScalar, _)):
                let reference = references[Int(number)]
                guard reference.column != nil, reference.columnPath.isEmpty else { return ([], false) }
            default: return ([], false)
            }
        }
        guard columns.count <= Self.mostChoices else { return ([], false) }
        let choices = columns.sorted().reduce(into: [[:]] as [[Int: String]]) { choices, column in
            choices = choices.flatMap { choice in
                ["1", "", "false"].map { value in choice.merging([column: value]) { $1 } }
            }
        }
        return (choices, true)
    }
}
