// SPDX-License-Identifier: MIT

/// Backup and restore.
enum BackupEndpoints {
  static let all: [Endpoint] = []
}
