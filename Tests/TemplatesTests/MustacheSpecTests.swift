import Foundation
import Model
import Testing
import Text

@testable import Templates

/// The public Mustache spec, read from where `FLOTILLA_MUSTACHE_SPEC` says: a folder with `comments.json`,
/// `delimiters.json`, `interpolation.json`, `inverted.json` and `sections.json`.
@Suite struct MustacheSpecTests {
    private struct Missing: Error, CustomStringConvertible {
        let description = """
            FLOTILLA_MUSTACHE_SPEC names no folder with the Mustache spec. Debian ships it in r-cran-whisker, which need not be \
            installed: apt-get download r-cran-whisker && dpkg-deb -x r-cran-whisker_*.deb whisker && \
            export FLOTILLA_MUSTACHE_SPEC="$PWD/whisker/usr/lib/R/site-library/whisker/specs"
            """
    }

    private struct Spec: Decodable {
        var tests: [Item]
    }

    private struct Item: Decodable {
        var name: String
        var data: [String: JSON]
        var template: String
        var expected: String
        var partials: [String: String]?
    }

    /// A value of the spec as a recipient's field holds it.
    private enum JSON: Decodable {
        case text(String)
        case number(Decimal)
        case bool(Bool)
        case list([JSON])
        case object([String: JSON])

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let value = try? container.decode(Bool.self) {
                self = .bool(value)
                return
            }
            if let value = try? container.decode(Decimal.self) {
                self = .number(value)
                return
            }
            if let value = try? container.decode(String.self) {
                self = .text(value)
                return
            }
            if let value = try? container.decode([JSON].self) {
                self = .list(value)
                return
            }
            self = .object(try container.decode([String: JSON].self))
        }

        var isNested: Bool {
            switch self {
            case .list, .object: true
            case .text, .number, .bool: false
            }
        }

        var field: String { if case .text(let text) = self { text } else { json } }

        private var json: String {
            switch self {
            case .text(let text):
                var writer = JSONWriter()
                writer.string(text.utf8)
                return String(decoding: writer.bytes, as: UTF8.self)
            case .number(let value): return "\(value)"
            case .bool(let value): return "\(value)"
            case .list(let items): return "[" + items.map(\.json).joined(separator: ",") + "]"
            case .object(let members):
                return "{" + members.map { "\(JSON.text($0).json):\($1.json)" }.joined(separator: ",") + "}"
            }
        }
    }

    @Test(arguments: [("comments", 11), ("delimiters", 14), ("interpolation", 30), ("inverted", 21), ("sections", 25)])
    func holds(_ file: String, _ least: Int) throws {
        guard let folder = ProcessInfo.processInfo.environment["FLOTILLA_MUSTACHE_SPEC"],
            let data = FileManager.default.contents(atPath: "\(folder)/\(file).json")
        else { throw Missing() }
        let spec = try JSONDecoder().decode(Spec.self, from: data)
        #expect(spec.tests.count >= least)
        for item in spec.tests { check(item) }
    }

    private func check(_ item: Item) {
        let values = item.data.sorted { $0.key < $1.key }
        let template = Mailing.Template(source: item.template)
        let nested = values.filter(\.value.isNested).map(\.key)
        // What the spec calls a context miss is an unknown field here; as a field that is empty it renders as the spec says.
        var missing: [String] = []
        for _ in 0..<2 {
            do throws(TemplateError) {
                let compiled = try CompiledTemplate(
                    template, fields: ["id"] + values.map(\.key) + missing, nested: nested, escaping: .html)
                var out: [UInt8] = []
                compiled.render(
                    recipients(["1"] + values.map(\.value.field) + missing.map { _ in "" }), row: 0, into: &out)
                #expect(String(decoding: out, as: UTF8.self) == item.expected, "\(item.name)")
                #expect(item.partials == nil, "\(item.name)")
                return
            } catch {
                let isPartial = error.description.contains("is a partial, which is not supported")
                #expect(isPartial == (item.partials != nil), "\(item.name): \(error)")
                if isPartial { return }
                missing = error.problems.compactMap {
                    $0.what.wholeMatch(of: /unknown field '(.+)'/).map { String($0.1) }
                }
                #expect(missing.count == error.problems.count, "\(item.name): \(error)")
            }
        }
        Issue.record("\(item.name) was never rendered")
    }
}
