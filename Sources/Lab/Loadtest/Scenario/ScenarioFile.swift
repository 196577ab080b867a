import Foundation
package import Settings
import Yams

/// Reads a scenario (docs/loadtest.md).
package enum ScenarioFile {
    /// - Throws: `SettingsError` with all that is wrong, each with file, line, field and what is allowed.
    package static func read(_ path: String) throws(SettingsError) -> Scenario {
        var file = YAMLFile(name: path)
        guard let root = file.read() else {
            if file.problems.isEmpty { file.refuse(path, "", "is empty; a scenario needs \(ScenarioReader.needs)") }
            throw SettingsError(problems: file.problems)
        }
        var reader = ScenarioReader(file: file, path: path)
        let scenario = reader.scenario(root)
        guard reader.file.problems.isEmpty else {
            throw SettingsError(problems: reader.file.problems.sorted { line($0.place) < line($1.place) })
        }
        return scenario
    }

    private static func line(_ place: String) -> Int {
        place.split(separator: ":").last.flatMap { Int($0) } ?? 0
    }
}
