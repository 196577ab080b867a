import Foundation
import Testing
import Text

@Suite struct PrivateFileTests {
    private func rights(_ path: String) throws -> Int {
        try #require(FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
    }

    @Test func onlyTheOwnerReadsThem() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "private-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "a").path
        #expect(PrivateFile.create(path))
        #expect(!PrivateFile.create(path))
        #expect(try rights(path) == 0o600)
        #expect(PrivateFile.tighten(path) == nil)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        #expect(PrivateFile.tighten(path) == 0o644)
        #expect(try rights(path) == 0o600)
        try FileManager.default.setAttributes([.posixPermissions: 0o666], ofItemAtPath: path)
        #expect(PrivateFile.write(Array("some text".utf8), to: path) == nil)
        #expect(PrivateFile.write(Array("text".utf8), to: path) == nil)
        #expect(try rights(path) == 0o600)
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "text")
        #expect(PrivateFile.write([], to: folder.appending(path: "no/b").path) == ENOENT)
        #expect(PrivateFile.write([0], to: "/dev/null") == nil)
        #expect(PrivateFile.text(0o644) == "0644")
        #expect(PrivateFile.tighten("/dev/null") == nil)
    }
}
