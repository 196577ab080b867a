import Foundation
import Testing

@testable import Text

@Suite struct RealPathTests {
    @Test func linksToAFileAndToItsFolderAreOnePath() throws {
        let files = FileManager.default
        let folder = files.temporaryDirectory.appending(path: "realpath-\(UUID())").path
        try files.createDirectory(atPath: folder + "/a", withIntermediateDirectories: true)
        defer { try? files.removeItem(atPath: folder) }
        try files.createSymbolicLink(atPath: folder + "/b", withDestinationPath: "a")
        try files.createSymbolicLink(atPath: folder + "/c", withDestinationPath: folder + "/b/file")
        // Not there yet.
        let real = RealPath.of(folder + "/a/file")
        #expect(real.hasSuffix("/a/file") && RealPath.of(folder + "/b/file") == real && RealPath.of(folder + "/c") == real)
        #expect(files.createFile(atPath: folder + "/a/file", contents: nil))
        for path in ["/a/file", "/b/file", "/c", "/a/../b/./file"] { #expect(RealPath.of(folder + path) == real) }
        try files.createSymbolicLink(atPath: folder + "/loop", withDestinationPath: "loop")
        #expect(RealPath.of(folder + "/loop").hasSuffix("/loop"))
        #expect(RealPath.of("/") == "/" && RealPath.of("/no/such/folder/x") == "/no/such/folder/x")
    }
}
