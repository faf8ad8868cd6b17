// SPDX-License-Identifier: MIT
import Platform

/// Why the database did not do something; nothing of the transaction was kept.
package struct StoreError: Error, Sendable {
  /// What a caller may tell apart.
  package enum Kind: Sendable {
    /// No space is left, or the size limit is reached.
    case full
    /// The file, its folder or the file system may not be written.
    case readOnly
    /// The disk or its driver failed.
    case ioError
    /// The file is damaged or is no database.
    case corrupt
    /// Another process holds the file.
    case busy
    /// The file was written by a newer version of this program.
    case newerVersion
    /// A value that must be unique exists already.
    case duplicate
    /// Another rule of the schema was violated.
    case constraint
    /// The row that was to be changed does not exist.
    case notFound
    /// A setting that is impossible, or a defect of this program.
    case other
  }

  package let kind: Kind
  /// SQLite's or the system's words, for the log.
  package let message: ByteString
  /// One sentence for people that says what to change.
  package let sentence: ByteString

  /// Makes an error with a sentence of its own.
  package init(_ kind: Kind, message: ByteString, sentence: ByteString) {
    self.kind = kind
    self.message = message
    self.sentence = sentence
  }

  /// Makes an error with the sentence that goes with its kind.
  package init(_ kind: Kind, message: ByteString) {
    self.init(kind, message: message, sentence: ByteString(StoreError.sentence(for: kind)))
  }

  private static func sentence(for kind: Kind) -> StaticString {
    switch kind {
    case .full: "the disk that holds the database is full: free some space; nothing was changed"
    case .readOnly:
      "the database cannot be written: mount it rw or make its folder writable; nothing was changed"
    case .ioError:
      "the disk that holds the database reports an error: check it; nothing was changed"
    case .corrupt: "the database is damaged: restore a backup"
    case .busy: "another process uses the database: stop the gateway that is running already"
    case .newerVersion:
      "the database was written by a newer version: install that version or restore a backup"
    case .duplicate: "this exists already: choose another name"
    case .constraint: "this does not fit with what is stored"
    case .notFound: "this does not exist"
    case .other: "the database refused this; the log says why"
    }
  }
}
