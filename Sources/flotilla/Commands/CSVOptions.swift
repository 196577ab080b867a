/// What commands that write CSV have in common.
enum CSVOptions {
    /// Of `--raw`.
    static let help =
        "In CSV, leave values as they are; without it an apostrophe stands before those that a spreadsheet would calculate, as =1+1."
}
