import Model
import Testing

@testable import Templates

/// Recipients of one batch, from rows of texts.
func recipients(_ rows: [String]...) -> Recipients {
    var table = Recipients(width: rows[0].count)
    for row in rows { table.append(row: row) }
    return table
}

extension CompiledTemplate {
    /// Renders for one recipient whose values are given by name.
    static func render(
        _ source: String, _ values: KeyValuePairs<String, String>, nested: [String] = [], escaping: Escaping = .html
    ) throws -> String {
        let fields = ["id", "address"] + values.map(\.key)
        let template = try CompiledTemplate(
            Mailing.Template(source: source, file: "message.html"), fields: fields, nested: nested, escaping: escaping)
        var out: [UInt8] = []
        template.render(recipients(["1", "a@example.com"] + values.map(\.value)), row: 0, into: &out)
        return String(decoding: out, as: UTF8.self)
    }

    /// The problems that a template has.
    static func problems(
        _ source: String, fields: [String] = ["id", "address", "first_name"], nested: [String] = []
    ) -> [String] {
        do throws(TemplateError) {
            _ = try CompiledTemplate(
                Mailing.Template(source: source, file: "message.html", line: 3), fields: fields, nested: nested,
                escaping: .html)
            return []
        } catch {
            return error.problems.map(\.description)
        }
    }
}
