package import Settings
package import Yams

/// Reads a profile (`loadtest/profiles`): how a sink imitates a provider.
package enum SinkProfileFile {
    /// - Throws: `SettingsError` with all that is wrong, each with file, line, field and what is allowed.
    package static func read(_ path: String) throws(SettingsError) -> SinkProfile {
        var file = YAMLFile(name: path)
        let root = file.read()
        guard let root else {
            if file.problems.isEmpty { file.refuse(path, "", "is empty; a profile needs at least its protocol") }
            throw SettingsError(problems: file.problems)
        }
        let profile = file.sinkProfile(root)
        guard let profile, file.problems.isEmpty else { throw SettingsError(problems: file.problems) }
        return profile
    }
}

extension YAMLFile {
    /// Reads a section that says how a sink behaves; what is wrong with it is in `problems` then.
    /// - Parameters:
    ///   - base: the values of what the section leaves out; nil for a section by itself, which has to name its protocol.
    ///   - others: keys of the section that are not the profile's.
    /// - Returns: nil where there is no profile at all.
    package mutating func sinkProfile(_ section: Node, over base: SinkProfile? = nil, beside others: [String] = [])
        -> SinkProfile?
    {
        guard let mapping = section.mapping else {
            refuse(place(section), "", "must be a mapping with the keys \(SinkProfileFields.names)")
            return nil
        }
        var fields = SinkProfileFields(file: self, start: place(section), others: others)
        let profile = fields.profile(mapping, over: base)
        self = fields.file
        return profile
    }
}
