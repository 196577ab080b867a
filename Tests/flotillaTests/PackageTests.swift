import Foundation
import Testing

/// What the package promises to those who build and use it.
@Suite struct PackageTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private func text(_ name: String) throws -> String { try String(contentsOf: Self.root.appending(path: name), encoding: .utf8) }

    @Test func everyDependencyHasOneVersion() throws {
        let dependencies = try text("Package.swift").split(separator: "\n").filter { $0.contains(".package(") }
        #expect(dependencies.count > 5)
        #expect(dependencies.allSatisfy { $0.contains(#/exact: "\d+\.\d+\.\d+"/#) }, "\(dependencies)")
    }

    @Test func theLicenceIsThere() throws {
        let licence = try text("LICENSE")
        #expect(licence.contains("Apache License") && licence.contains("Version 2.0, January 2004") && licence.contains("END OF TERMS"))
    }
}
