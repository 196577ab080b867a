import Foundation

/// 294 mails that people collected, with what another program makes of them: `../shared/data/bounces`.
package enum BounceCorpus {
    /// Nil where it is not there.
    package static let folder: String? = {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        return [root.deletingLastPathComponent().path, "/work"].map { $0 + "/shared/data/bounces" }
            .first { FileManager.default.fileExists(atPath: $0 + "/expected.ndjson") }
    }()

    package static var isThere: Bool { folder != nil }
}
