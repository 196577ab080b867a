import Foundation
package import Yams

/// A YAML file of the operator, whose nodes know their lines.
package struct YAMLFile {
    private static let sizeLimit = 1 << 20

    /// As the operator wrote it.
    package let name: String
    /// The errors so far, in the order of the file.
    package var problems: [SettingsError.Problem] = []

    package init(name: String) { self.name = name }

    /// Reads the file.
    /// - Returns: nil for an empty file, and for a file that cannot be read; `problems` then has the error.
    package mutating func read() -> Node? {
        do {
            let data = try Data(contentsOf: URL(filePath: name))
            if data.count > Self.sizeLimit {
                refuse(name, "", "is larger than \(Self.sizeLimit) bytes, too large for a configuration")
            } else if let text = String(validating: data, as: UTF8.self) {
                return parse(text)
            } else {
                refuse(name, "", "is not UTF-8")
            }
        } catch let error as CocoaError where error.code == .fileReadNoSuchFile {
            refuse(name, "", "there is no such file")
        } catch let error as CocoaError where error.code == .fileReadNoPermission {
            refuse(name, "", "may not be read")
        } catch {
            refuse(name, "", "cannot be read; is it a file?")
        }
        return nil
    }

    private mutating func parse(_ text: String) -> Node? {
        do throws(YAMLFault) {
            guard let root = try YAMLDocument.compose(text), !root.isNothing else { return nil }
            return root
        } catch {
            refuse(error.line.map { "\(name):\($0)" } ?? name, "", error.description)
        }
        return nil
    }

    /// Adds a problem with a key, which is empty where it is about the file.
    package mutating func refuse(_ place: String, _ key: String, _ text: String) {
        problems.append(SettingsError.Problem(place: place, key: key, text: text))
    }

    /// `file:line`.
    package func place(_ node: Node) -> String { node.mark.map { "\(name):\($0.line)" } ?? name }
}

extension Node {
    /// Nothing was written, or null: the default holds.
    package var isNothing: Bool {
        guard let scalar else { return false }
        return scalar.style != .doubleQuoted && scalar.style != .singleQuoted
            && ["", "~", "null", "Null", "NULL"].contains(scalar.string)
    }
}
