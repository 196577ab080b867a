import FoundationEssentials

/// Small text files.
enum TextFile {
    /// Why a file gives no text; goes behind its name.
    struct Fault: Error, CustomStringConvertible {
        let description: String
    }

    /// Reads a whole file of UTF-8, without its byte order mark.
    /// - Parameter limit: bytes at most.
    static func read(_ path: String, limit: Int) -> Result<String, Fault> {
        var isDirectory = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            return .failure(Fault(description: "does not exist; check the path"))
        }
        guard !isDirectory else { return .failure(Fault(description: "is a directory, not a file")) }
        let size = (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
        guard size <= limit else { return .failure(Fault(description: "is larger than \(limit >> 20) MB")) }
        guard let data = FileManager.default.contents(atPath: path) else {
            return .failure(Fault(description: "cannot be read; check its permissions"))
        }
        guard var text = String(validating: data, as: UTF8.self) else {
            return .failure(Fault(description: "is not UTF-8; save it as UTF-8"))
        }
        if text.unicodeScalars.first == "\u{feff}" { text.unicodeScalars.removeFirst() }
        return .success(text)
    }

    /// Why a file of recipients cannot be read later, as far as can be told without reading it; nil for a good one.
    static func fault(ofInput path: String) -> Fault? {
        var isDirectory = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            return Fault(description: "does not exist; check the path")
        }
        guard !isDirectory else { return Fault(description: "is a directory, not a file") }
        return FileManager.default.isReadableFile(atPath: path)
            ? nil : Fault(description: "cannot be read; check its permissions")
    }

    /// A path relative to the folder of a file.
    static func beside(_ file: String, _ name: String) -> String {
        if name.hasPrefix("/") { return name }
        guard let slash = file.lastIndex(of: "/") else { return name }
        return file[...slash] + name
    }

    /// The path from the root.
    static func absolute(_ path: String) -> String {
        let full = path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
        return URL(filePath: full).standardized.path
    }
}
