// SPDX-License-Identifier: MIT
import Platform

/// How the database lies on its medium; a board's file names these values.
package struct StoreSettings: Sendable {
  /// Where SQLite keeps what it needs to undo or complete a transaction.
  package enum JournalMode: Sendable {
    case wal, persist, delete, truncate

    /// Parses `wal|persist|delete|truncate`.
    ///
    /// Throws `.other` for anything else; `memory` and `off` lose databases at a power cut.
    package init(parsing text: ByteString) throws(StoreError) {
      if text == "wal" {
        self = .wal
      } else if text == "persist" {
        self = .persist
      } else if text == "delete" {
        self = .delete
      } else if text == "truncate" {
        self = .truncate
      } else if text == "memory" || text == "off" {
        throw .setting(
          "journal_mode memory and off lose the database at a power cut: use wal or persist")
      } else {
        throw .setting("journal_mode must be wal, persist, delete or truncate")
      }
    }

    /// As SQLite and the board file call it.
    package var name: StaticString {
      switch self {
      case .wal: "wal"
      case .persist: "persist"
      case .delete: "delete"
      case .truncate: "truncate"
      }
    }
  }

  /// When SQLite waits until the medium has the bytes.
  package enum Synchronous: Sendable {
    case full, normal, extra

    /// Parses `full|normal|extra`; throws `.other` for anything else.
    package init(parsing text: ByteString) throws(StoreError) {
      if text == "full" {
        self = .full
      } else if text == "normal" {
        self = .normal
      } else if text == "extra" {
        self = .extra
      } else {
        throw .setting("synchronous must be full, normal or extra")
      }
    }

    var number: Int64 {
      switch self {
      case .normal: 1
      case .full: 2
      case .extra: 3
      }
    }
  }

  /// Whether other processes may open the database meanwhile.
  package enum LockingMode: Sendable {
    case exclusive, normal

    /// Parses `exclusive|normal`; throws `.other` for anything else.
    package init(parsing text: ByteString) throws(StoreError) {
      if text == "exclusive" {
        self = .exclusive
      } else if text == "normal" {
        self = .normal
      } else {
        throw .setting("locking_mode must be exclusive or normal")
      }
    }
  }

  package var journalMode: JournalMode
  package var synchronous: Synchronous
  /// Exclusive needs no shared memory, so that WAL works on JFFS2 and overlayfs.
  package var lockingMode: LockingMode
  /// 512…65536, a power of two; an existing database keeps its own.
  package var pageByteCount: Int
  package var cacheKilobytes: Int
  package var walAutocheckpointPages: Int
  /// Bytes that the journal or WAL file may keep between transactions.
  package var journalSizeLimit: Int64
  package var flushIntervalMilliseconds: Int64
  /// Log rows that are flushed without waiting for the interval.
  package var flushRowCount: Int
  /// Bytes that the request log may take in the file; 0 keeps no log rows at all.
  package var logByteLimit: Int64
  /// Whether logs, audit and statistics live in memory, so that they end with the program.
  package var keepsHistoryInMemory: Bool
  /// Bytes that stay free on the medium for changes of settings: log rows do not take them.
  package var reserveByteCount: Int64

  /// Makes settings; the defaults fit a disk or an SSD.
  package init(
    journalMode: JournalMode = .wal, synchronous: Synchronous = .full,
    lockingMode: LockingMode = .exclusive, pageByteCount: Int = 4096, cacheKilobytes: Int = 512,
    walAutocheckpointPages: Int = 1000, journalSizeLimit: Int64 = 4 << 20,
    flushIntervalMilliseconds: Int64 = 5000, flushRowCount: Int = 1000,
    logByteLimit: Int64 = 64 << 20, keepsHistoryInMemory: Bool = false,
    reserveByteCount: Int64 = 0
  ) {
    self.journalMode = journalMode
    self.synchronous = synchronous
    self.lockingMode = lockingMode
    self.pageByteCount = pageByteCount
    self.cacheKilobytes = cacheKilobytes
    self.walAutocheckpointPages = walAutocheckpointPages
    self.journalSizeLimit = journalSizeLimit
    self.flushIntervalMilliseconds = flushIntervalMilliseconds
    self.flushRowCount = flushRowCount
    self.logByteLimit = logByteLimit
    self.keepsHistoryInMemory = keepsHistoryInMemory
    self.reserveByteCount = reserveByteCount
  }

  /// Throws `.other` with a sentence that names the setting which is out of range.
  package func check() throws(StoreError) {
    guard 512...65536 ~= pageByteCount, pageByteCount & (pageByteCount - 1) == 0 else {
      throw .setting("page_size must be a power of two from 512 to 65536")
    }
    guard 64...65536 ~= cacheKilobytes else {
      throw .setting("the database cache must be 64 to 65536 kilobytes")
    }
    guard 16...100_000 ~= walAutocheckpointPages else {
      throw .setting("wal_autocheckpoint must be 16 to 100000 pages")
    }
    guard 0...(1 << 30) ~= journalSizeLimit else {
      throw .setting("journal_size_limit must be 0 to 1073741824 bytes")
    }
    guard 100...86_400_000 ~= flushIntervalMilliseconds else {
      throw .setting("the flush interval must be 100 milliseconds to one day")
    }
    guard 1...100_000 ~= flushRowCount else {
      throw .setting("the number of rows per flush must be 1 to 100000")
    }
    guard logByteLimit >= 0 else { throw .setting("the log's size limit must not be negative") }
  }
}

extension StoreError {
  fileprivate static func setting(_ sentence: StaticString) -> StoreError {
    StoreError(.other, message: "setting", sentence: ByteString(sentence))
  }
}
