import Foundation
import Model
import Testing
import Text

@testable import Settings

@Suite struct SettingsPageTests {
    private static let page = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "docs/configuration.md")

    @Test func thePageListsEveryKeyAndNoOther() throws {
        let text = try String(contentsOf: Self.page, encoding: .utf8)
        let rows = text.split(separator: "\n").map(String.init).filter { $0.hasPrefix("| `") }
        #expect(rows == SettingsTable.keys.map(\.row))
    }

    @Test func theExampleOfThePageIsRead() throws {
        let text = try String(contentsOf: Self.page, encoding: .utf8)
        let example = try #require(
            text.split(separator: "```yaml\n").dropFirst().first?.split(separator: "```\n").first)
        let file = FileManager.default.temporaryDirectory.appending(path: "flotilla-example-\(UUID().uuidString).yaml")
        try Data(example.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let settings = try Settings.load(
            file: file.path(), environment: ["FLOTILLA_PROVIDERS_MAIN_PASSWORD": "word"])
        #expect(settings.providers.keys.sorted() == ["hook", "main"])
        #expect(settings.providers["main"]?.password?.exposed == "word")
        #expect(settings != Settings())
    }

    @Test func namesOfKeysAndVariablesAreUnique() {
        #expect(Set(SettingsTable.keys.map(\.name)).count == SettingsTable.keys.count)
        #expect(Set(SettingsTable.keys.map(\.variable)).count == SettingsTable.keys.count)
    }
}

extension SettingKey {
    /// The key's row in `docs/configuration.md`.
    var row: String {
        let name = name.replacing("tracker.domains.*", with: "tracker.domains.DOMAIN").replacing("providers.*", with: "providers.NAME")
            .replacing("headers.*", with: "headers.FIELD")
            .replacing("domains.*", with: "domains.ENTRY").replacing("webhooks.*", with: "webhooks.NAME")
        return "| `\(name)` | \(form.type) | \(form.shownDefault) | \(form.allowed) | \(meaning) |"
    }
}
