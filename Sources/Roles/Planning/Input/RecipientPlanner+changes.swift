import Model

/// Whether the file is still the one that was opened, or whose rows were planned before a restart.
extension RecipientPlanner {
    /// The file is not the one whose rows were planned.
    static func changedSince(_ rows: Int, _ source: RecipientSource) -> InputError {
        InputError(
            file: source.file,
            problem: "has changed since \(rows) of its rows were planned, and nobody got this mailing; send it as a new mailing")
    }

    /// Makes sure that what was read to the end is what the file holds.
    func checkWhole() throws(InputError) {
        let now = try FileStamp(path: source.file)
        guard now != stamp else { return }
        guard now.size == stamp.size else { throw changed }
        // It may have been touched only, or replaced by the same.
        var again = RowChecksum()
        var reader = try RecipientReader(source, isStopping: isStopping)
        var row = InputRow()
        while try reader.next(&row) { again.add(row) }
        guard reader.columns == columns, again == checksum else { throw changed }
    }

    func checkStamp() throws(InputError) {
        if try FileStamp(path: source.file) != stamp { throw changed }
    }

    private var changed: InputError {
        InputError(
            file: source.file,
            problem: """
                has changed while it was read, and nobody got this mailing; write the file anew under another name, move it to its place \
                when it is whole, and send it as a new mailing
                """)
    }
}
