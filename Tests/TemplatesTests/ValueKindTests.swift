import Model
import Testing

@testable import Templates

/// A value of NDJSON is a list or an object because its file says so, and not because it looks like one.
@Suite struct ValueKindTests {
    /// - Parameter nested: the places of the values that are lists and objects.
    private func render(_ template: String, _ value: String, nested: [Int], escaping: Escaping = .html) throws -> String {
        let fields = ["id", "address", "v", ValueKinds.field]
        let template = try CompiledTemplate(
            Mailing.Template(source: template, file: "a.html"), fields: fields, nested: ["id", "address", "v"], escaping: escaping)
        var table = Recipients(width: 4)
        let kinds = String(decoding: ValueKinds.text(nested, width: 3), as: UTF8.self)
        table.append(row: ["1", "a@example.com", value, kinds])
        var out: [UInt8] = []
        template.render(table, row: 0, into: &out)
        return String(decoding: out, as: UTF8.self)
    }

    @Test func eachValueSaysItself() throws {
        let template = "{{#v}}({{.}}){{/v}}{{^v}}none{{/v}}"
        #expect(try render(template, "[1,2]", nested: [2]) == "(1)(2)")
        #expect(try render(template, "[1,2]", nested: []) == "([1,2])")
        #expect(try render(template, "[1,2]", nested: [0, 1]) == "([1,2])")
        #expect(try render(template, "[]", nested: [2]) == "none")
        #expect(try render(template, "[]", nested: []) == "([])")
        #expect(try render(template, "", nested: []) == "none")
        #expect(try render("{{v.a}}", "{\"a\":\"x\"}", nested: [2]) == "x")
        #expect(try render("{{v.a}}", "{\"a\":\"x\"}", nested: []) == "")
    }

    @Test func outsideOfAStringOnlyListsAndObjectsStandAsTheyAre() throws {
        let template = "{\"a\":{{v}},\"b\":[{{v}}]}"
        let list = "[\"x\",{\"y\":1}]"
        #expect(try render(template, list, nested: [2], escaping: .json) == "{\"a\":\(list),\"b\":[\(list)]}")
        #expect(try render(template, "12.5", nested: [], escaping: .json) == "{\"a\":12.5,\"b\":[12.5]}")
        for text in ["1,2", list, "1,\"admin\":true"] {
            #expect(try !render(template, text, nested: [], escaping: .json).contains("," + text.suffix(3)))
            #expect(try !render(template, text, nested: [], escaping: .json).contains("[" + text + "]"))
        }
    }

    @Test func theNamelessFieldIsNobodys() throws {
        let error = #expect(throws: TemplateError.self) { try render("{{nome}}", "", nested: []) }
        #expect(error?.description.contains("the recipients have: id, address, v") == true)
        #expect(throws: TemplateError.self) { try render("{{}}", "", nested: []) }
    }

    @Test func kindsAreEmptyWithoutLists() {
        #expect(ValueKinds.text([], width: 3).isEmpty)
        #expect(ValueKinds.text([7], width: 3).isEmpty)
        #expect(ValueKinds.text([1], width: 3) == Array("-j-".utf8))
    }
}
