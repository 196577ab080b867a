import Foundation
import Testing
import Text

@Suite struct FileStatusTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "status-\(UUID().uuidString)").path

    init() throws { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }

    private func remove() { try? FileManager.default.removeItem(atPath: folder) }

    @Test func tellsKindSizeAndRights() throws {
        defer { remove() }
        let path = folder + "/a"
        #expect(PrivateFile.write(Array("four".utf8), to: path) == nil)
        let file = try #require(FileStatus(path: path))
        #expect(file.kind == .regular && file.size == 4 && file.rights == 0o600 && file.links == 1 && file.isOurs)
        #expect(FileStatus(path: folder)?.kind == .directory)
        #expect(FileStatus(path: "/dev/null")?.kind == .other)
        #expect(FileStatus(path: folder + "/none") == nil)
        #expect(FileStatus(descriptor: -1) == nil)
    }

    @Test func aLinkIsFollowedOrNot() throws {
        defer { remove() }
        let link = folder + "/link"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: folder)
        #expect(FileStatus(path: link)?.identity == FileStatus(path: folder)?.identity)
        #expect(FileStatus(path: link, followsLinks: false)?.kind == .other)
    }

    /// `touch` takes any year; no sum of a file's times may trap.
    @Test func timesOfAnyYearAreRead() throws {
        defer { remove() }
        let path = folder + "/old"
        #expect(PrivateFile.create(path))
        for seconds in [-10_000_000_000.0, 0, 16_000_000_000] {
            try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSince1970: seconds)], ofItemAtPath: path)
            #expect(FileStatus(path: path) != nil)
        }
    }
}
