// SPDX-License-Identifier: MIT
import Platform

/// What an import did and did not do, for the person who ran it.
///
/// It names things but never holds a key, a password or an option's value.
final class ImportReport {
  /// What is counted, in the order of the report.
  enum Kind: Int, CaseIterable {
    case user, token, channel, channelGroup, userGroup, price, redemption, setting

    fileprivate var name: StaticString {
      switch self {
      case .user: "user"
      case .token: "token"
      case .channel: "channel"
      case .channelGroup: "channel group"
      case .userGroup: "user group"
      case .price: "price"
      case .redemption: "redemption code"
      case .setting: "setting"
      }
    }
  }

  private struct Count {
    var carried: Int64 = 0
    var known: Int64 = 0
    var left: Int64 = 0
  }

  private static let nameColumn = 20
  private var counts = [Count](repeating: Count(), count: Kind.allCases.count)
  private let notes = Buffer()
  private let tasks = Buffer()

  /// Things of a kind that will be here afterwards.
  func carried(_ kind: Kind) -> Int64 { counts[kind.rawValue].carried }

  /// Counts one that is taken over.
  @inline(never)
  func carry(_ kind: Kind) { counts[kind.rawValue].carried += 1 }

  /// Counts one that is here already and stays as it is.
  @inline(never)
  func keep(_ kind: Kind) { counts[kind.rawValue].known += 1 }

  /// Counts one that is left out; `why`, a detail and the rest follow "is left out:".
  @inline(never)
  func leave(
    _ kind: Kind, _ id: Int64?, _ name: ByteString, _ why: StaticString,
    _ detail: ByteString = .empty, _ rest: StaticString = ""
  ) {
    counts[kind.rawValue].left += 1
    begin(kind, id, name)
    notes.append("is left out: ")
    ImportReport.end(notes, why, detail, rest)
  }

  /// Says what became of one; `words`, a detail and the rest follow its name.
  @inline(never)
  func note(
    _ kind: Kind, _ id: Int64?, _ name: ByteString, _ words: StaticString,
    _ detail: ByteString = .empty, _ rest: StaticString = ""
  ) {
    begin(kind, id, name)
    ImportReport.end(notes, words, detail, rest)
  }

  /// Says what the owner has to do, or to know.
  @inline(never)
  func task(_ words: StaticString, _ detail: ByteString = .empty, _ rest: StaticString = "") {
    tasks.append("- ")
    ImportReport.end(tasks, words, detail, rest)
  }

  private func begin(_ kind: Kind, _ id: Int64?, _ name: ByteString) {
    notes.append("- ")
    notes.append(kind.name)
    if let id {
      notes.append(" ")
      notes.append(decimal: id)
    }
    if !name.isEmpty {
      notes.append(" ")
      notes.append(AdminText.quoted(name))
    }
    notes.append(" ")
  }

  @inline(never)
  private static func end(
    _ text: Buffer, _ words: StaticString, _ detail: ByteString, _ rest: StaticString
  ) {
    text.append(words)
    text.append(detail)
    text.append(rest)
    text.append(".\n")
  }

  /// The whole text; `file`, `product` and `directory` are for its first line.
  func text(
    file: ByteString, product: ForeignProduct, directory: ByteString, isDryRun: Bool
  ) -> ByteString {
    let text = Buffer()
    text.append(isDryRun ? "What an import of " : "Imported ")
    text.append(file)
    text.append(" (")
    text.append(product.name)
    text.append(isDryRun ? ") would bring into " : ") into ")
    text.append(directory)
    text.append(isDryRun ? "; nothing was written:\n\n" : ":\n\n")
    appendCounts(to: text)
    if !notes.isEmpty {
      text.append("\nLeft out or changed:\n")
      text.append(contentsOf: notes)
    }
    text.append("\nTo know and to do:\n")
    text.append(contentsOf: tasks)
    return text.byteString
  }

  private func appendCounts(to text: Buffer) {
    for kind in Kind.allCases {
      let count = counts[kind.rawValue]
      let start = text.count
      text.append("  ")
      text.append(kind.name)
      text.append("s")
      while text.count - start < ImportReport.nameColumn { text.append(" ") }
      text.append(decimal: count.carried)
      text.append(" taken over, ")
      text.append(decimal: count.known)
      text.append(" here already, ")
      text.append(decimal: count.left)
      text.append(" left out\n")
    }
  }
}
