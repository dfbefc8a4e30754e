package store

import (
	"context"
	"fmt"

	"matricula/internal/lms"
)

var (
	sqlInsertPresets = stmt(`INSERT INTO course_roles (course_id, key, name, is_preset, privileges)
		SELECT $2, j.value->>0, j.value->>1, TRUE, j.value->>2 FROM {rows:$1}`)
	sqlSyncPreset = stmt(`UPDATE course_roles SET privileges = $2, name = $3 WHERE is_preset AND key = $1 AND (privileges <> $2 OR name <> $3)`)
	sqlRoles      = stmt(`SELECT id, course_id, key, name, is_preset, privileges FROM course_roles WHERE course_id = $1 ORDER BY id`)
	sqlInsertRole = stmt(`INSERT INTO course_roles (course_id, key, name, is_preset, privileges) VALUES ($1, $2, $3, FALSE, $4)
		ON CONFLICT (course_id, key) DO NOTHING RETURNING id`)
	sqlUpdateRole = stmt(`UPDATE course_roles SET key = $3, name = $4, privileges = $5 WHERE course_id = $1 AND id = $2 AND NOT is_preset`)
	sqlDeleteRole = stmt(`DELETE FROM course_roles WHERE course_id = $1 AND id = $2 AND NOT is_preset`)
	sqlRolesOf    = stmt(`SELECT r.id, r.course_id, r.key, r.name, r.is_preset, r.privileges, coalesce(n.people, 0) FROM course_roles r
		LEFT JOIN (SELECT role_id, count(*) AS people FROM enrollments WHERE course_id = $1 GROUP BY role_id) n ON n.role_id = r.id
		WHERE r.course_id = $1 ORDER BY r.id`)
)

// syncPresetRoles makes the stored presets those of this program, so that a
// privilege that a later version adds reaches the owners of every course.
func (tx *Tx) syncPresetRoles(ctx context.Context) error {
	for _, r := range lms.PresetRoles() {
		if _, err := tx.exec(ctx, sqlSyncPreset, r.Key, storedPrivileges(r.Privileges), r.Name); err != nil {
			return fmt.Errorf("renew role %s: %w", r.Key, err)
		}
	}
	return nil
}

// Roles lists a course's roles: the presets, highest first, then its own.
func (tx *Tx) Roles(ctx context.Context, courseID int64) ([]lms.Role, error) {
	rows, err := tx.query(ctx, sqlRoles, courseID)
	list, err := collect(rows, err, func(r scanner) (role lms.Role, err error) {
		return role, r.Scan(&role.ID, &role.CourseID, &role.Key, &role.Name, &role.Preset, privileges{&role.Privileges})
	})
	if err != nil {
		return nil, fmt.Errorf("list roles of course %d: %w", courseID, err)
	}
	return list, nil
}

// RoleOf is a role with the number of people who have it.
type RoleOf struct {
	Role   lms.Role
	People int64
}

// RolesOf lists a course's roles, in the order of Roles, with their people.
func (tx *Tx) RolesOf(ctx context.Context, courseID int64) ([]RoleOf, error) {
	rows, err := tx.query(ctx, sqlRolesOf, courseID)
	list, err := collect(rows, err, func(r scanner) (o RoleOf, err error) {
		return o, r.Scan(&o.Role.ID, &o.Role.CourseID, &o.Role.Key, &o.Role.Name, &o.Role.Preset, privileges{&o.Role.Privileges}, &o.People)
	})
	if err != nil {
		return nil, fmt.Errorf("list roles of course %d with their people: %w", courseID, err)
	}
	return list, nil
}

// CreateRole adds a custom role; ok is false when its key is taken.
func (tx *Tx) CreateRole(ctx context.Context, r lms.Role) (id int64, ok bool, err error) {
	ok, err = tx.one(ctx, sqlInsertRole, []any{r.CourseID, r.Key, r.Name, storedPrivileges(r.Privileges)}, &id)
	if err != nil {
		return 0, false, fmt.Errorf("create role in course %d: %w", r.CourseID, err)
	}
	return id, ok, nil
}

// UpdateRole changes a custom role; ok is false when its key is taken, and then
// the transaction must not be kept.
func (tx *Tx) UpdateRole(ctx context.Context, r lms.Role) (ok bool, err error) {
	_, err = tx.exec(ctx, sqlUpdateRole, r.CourseID, r.ID, r.Key, r.Name, storedPrivileges(r.Privileges))
	if isUnique(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("update role %d: %w", r.ID, err)
	}
	return true, nil
}

// DeleteRole removes a custom role that nobody has.
func (tx *Tx) DeleteRole(ctx context.Context, courseID, id int64) error {
	if _, err := tx.exec(ctx, sqlDeleteRole, courseID, id); err != nil {
		return fmt.Errorf("delete role %d: %w", id, err)
	}
	return nil
}
