import Foundation
import Telemetry

/// What commands that write CSV have in common.
enum CSVOptions {
    /// Of `--raw`.
    static let help =
        "In CSV, leave values as they are; without it an apostrophe stands before those that a spreadsheet would calculate, as =1+1."
}

extension StandardOutput {
    /// Writes rows of a table. On a terminal nothing of a value acts; anywhere else the table is as it is.
    static func write(table rows: String) {
        if isatty(STDOUT_FILENO) != 0 { write(rows) } else { write(own: rows) }
    }
}
